/** The administrator's orders: what they answer, and what they change for those whom they are about. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { crypto, type Fixture, startFixture as start } from '../testing/fixture.ts';
import { person } from '../testing/person.ts';

const DAY_MS = 86_400_000;

let fixture: Fixture;
beforeEach(async () => {
  fixture = await start();
});
afterEach(() => fixture.close());

const order = (name: string, body: object = {}, token?: string) =>
  fixture.order(`/v1/admin/${name.replace(' ', '/')}`, body, token);
const account = (auth: Record<string, string>) => fixture.call('GET', '/v1/account', undefined, auth);
const members = async (...names: readonly string[]) => {
  for (const name of names) await fixture.member(name);
};

describe('accounts, for an administrator', () => {
  it('are listed page by page, filtered, with what each of them takes', async () => {
    await members('carol', 'alice', 'bob', 'alina');
    await order('accounts disable', { name: 'bob' });
    const names = (answer: { accounts: { address: string }[] }) =>
      answer.accounts.map(({ address }) => address.slice(4, address.indexOf('@')));
    const first = await order('accounts list', { limit: 3 });
    expect(names(first)).toEqual(['alice', 'alina', 'bob']);
    const second = await order('accounts list', { limit: 3, after: first.next });
    expect([names(second), second.next]).toEqual([['carol'], undefined]);
    expect(names(await order('accounts list', { limit: 10, filter: 'ali' }))).toEqual(['alice', 'alina']);
    expect(names(await order('accounts list', { limit: 10, disabled: true }))).toEqual(['bob']);
    const [alice] = (await order('accounts list', { limit: 1, usage: true })).accounts;
    expect(alice).toMatchObject({ devices: 1, waiting: { messages: 0, bytes: 0 }, files: { count: 0, bytes: 0 } });
  });

  it('are shown by whatever form of their name, and one that is not there is not found', async () => {
    await members('alice');
    for (const name of ['alice', 'Alice', 'alice@example.org', 'sip:alice@example.org'])
      expect(await order('accounts show', { name })).toMatchObject({ address: 'sip:alice@example.org', manifest: 1 });
    for (const name of ['nobody', 'a b', 'alice@elsewhere.org'])
      await expect(order('accounts show', { name })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('T204: disabled: out at once with the token that it has, told why at the next login, and back when it is enabled', async () => {
    const { person: alice, auth } = await fixture.member('alice');
    const bob = await fixture.member('bob');
    fixture.announced.length = 0;
    await order('accounts disable', { name: 'alice' });
    expect((await account(auth)).status).toBe(401);
    expect(fixture.announced).toEqual([{ kind: 'account-disabled', address: alice.address }]);
    expect((await account(bob.auth)).status).toBe(200);
    const refused = await fixture.login(alice);
    expect([refused.status, refused.json.code, refused.json.detail]).toEqual([
      403,
      'forbidden',
      'this account is disabled: ask whoever runs this server',
    ]);
    // Who cannot prove to be its owner learns nothing of it.
    expect((await fixture.login(person(crypto, 'alice', 'thief'))).status).toBe(401);
    await order('accounts enable', { name: 'alice' });
    expect((await account(auth)).status).toBe(200);
    expect((await fixture.login(alice)).status).toBe(200);
  });

  it('T204: disabled: stay so when somebody resets them', async () => {
    await members('alice');
    await order('accounts disable', { name: 'alice' });
    const anew = person(crypto, 'alice', 'second');
    const { code } = await fixture.resetCode('alice');
    expect((await fixture.call('POST', '/v1/resets', { ...anew.creation(), code })).status).toBe(201);
    expect((await fixture.login(anew)).status).toBe(403);
  });

  it('deleted are gone, and their nodes are told', async () => {
    const { person: alice, auth } = await fixture.member('alice');
    fixture.announced.length = 0;
    await order('accounts delete', { name: 'alice' });
    expect((await account(auth)).status).toBe(401);
    expect(fixture.announced).toMatchObject([
      { kind: 'device-removed', device: alice.device },
      { kind: 'devices-changed' },
    ]);
    await expect(order('accounts delete', { name: 'alice' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('have quotas of their own, and those of all again', async () => {
    const { auth } = await fixture.member('alice');
    const upload = (bytes: number) => fixture.call('POST', '/v1/attachments', { bytes }, auth);
    const quota = { fileBytes: 1_000, messages: 5 };
    expect(await order('accounts quota', { name: 'alice', ...quota })).toMatchObject({ quota });
    expect(await order('accounts show', { name: 'alice' })).toMatchObject({ quota });
    expect((await upload(1_001)).json.code).toBe('limit-reached');
    expect((await upload(1_000)).status).toBe(201);
    expect(await order('accounts quota', { name: 'alice', messages: null })).toMatchObject({
      quota: { fileBytes: 1_000 },
    });
    await order('accounts quota', { name: 'alice', fileBytes: null });
    expect((await upload(2_000)).status).toBe(201);
    expect((await order('accounts show', { name: 'alice' })).quota).toBeUndefined();
  });
});

describe('invitations, for an administrator', () => {
  it('are listed by a number that opens nothing, and are no good once they were revoked', async () => {
    await fixture.close();
    fixture = await start({ GATE: 'invitation' });
    const join = (name: string, invitation: string) =>
      fixture.call('POST', '/v1/accounts', { ...person(crypto, name).creation(), invitation });
    const made = await fixture.order('/v1/admin/invitations', { uses: 3, days: 7 });
    expect((await join('alice', made.code)).status).toBe(201);
    expect((await join('bob', made.number)).status).toBe(403);
    const listed = async () => (await order('invitations list', { limit: 10 })).invitations;
    expect(await listed()).toMatchObject([{ number: made.number, uses: 3, left: 2, state: 'good', by: 'machine' }]);
    expect(JSON.stringify(await listed())).not.toContain(made.code);
    for (let i = 0; i < 2; i++) await order('invitations revoke', { number: made.number });
    expect(await listed()).toMatchObject([{ left: 0, state: 'revoked' }]);
    expect((await join('bob', made.code)).json.code).toBe('invitation-invalid');
    await expect(order('invitations revoke', { number: '0'.repeat(16) })).rejects.toMatchObject({ code: 'not-found' });
    await fixture.order('/v1/admin/invitations', { uses: 1, days: 1 });
    fixture.clock.now += DAY_MS;
    expect((await listed()).map(({ state }: { state: string }) => state).sort()).toEqual(['ended', 'revoked']);
  });
});

describe('maintenance', () => {
  it('lets nobody new in, says when to come back, and leaves those who are in alone', async () => {
    const { person: alice, auth } = await fixture.member('alice');
    await order('maintenance on', { minutes: 5 });
    expect(await order('maintenance show')).toMatchObject({ isOn: true, retryAfterSeconds: 300 });
    const refusals = [
      await fixture.call('POST', '/v1/accounts', person(crypto, 'bob').creation()),
      await fixture.call('POST', '/v1/login/challenge', { device: alice.device }),
      await fixture.call('POST', '/v1/resets', {}),
    ];
    for (const { status, json, headers } of refusals)
      expect([status, json.retryable, headers.get('retry-after')]).toEqual([503, true, '300']);
    expect((await account(auth)).status).toBe(200);
    // Those who are connected are told.
    expect((await order('notices list')).notices).toMatchObject([{ text: expect.stringContaining('Maintenance') }]);
    await order('maintenance off');
    expect((await fixture.login(alice)).status).toBe(200);
  });
});

describe('notices', () => {
  it('are told until they end or are removed, and are no more than anybody reads', async () => {
    const { id, until } = await order('notices send', { text: 'Tonight\nat ten.', hours: 1 });
    expect(until).toBe(fixture.clock.now + 3_600_000);
    await order('notices send', { text: 'another', hours: 2 });
    await new Promise(setImmediate);
    expect(fixture.announced).toContainEqual({ kind: 'notices-changed' });
    await order('notices remove', { id });
    expect((await order('notices list')).notices).toMatchObject([{ text: 'another' }]);
    for (let i = 1; i < 20; i++) await order('notices send', { text: `${i}`, hours: 2 });
    await expect(order('notices send', { text: 'x', hours: 1 })).rejects.toMatchObject({ code: 'limit-reached' });
    fixture.clock.now += 2 * 3_600_000;
    await order('notices send', { text: 'x', hours: 1 });
    expect((await order('notices list')).notices).toHaveLength(1);
    for (const text of ['a\u001b[31m', 'a\u202eb', '', 'x'.repeat(1_001)])
      await expect(order('notices send', { text, hours: 1 })).rejects.toThrow();
  });
});

describe('domains', () => {
  it('are blocked, listed and free again', async () => {
    for (let i = 0; i < 2; i++) await order('domains block', { domain: 'Evil.Example' });
    expect(await order('domains list')).toEqual({ domains: [{ domain: 'evil.example', since: fixture.clock.now }] });
    await order('domains unblock', { domain: 'evil.example' });
    expect(await order('domains list')).toEqual({ domains: [] });
    await expect(order('domains block', { domain: 'a b' })).rejects.toThrow();
  });
});
