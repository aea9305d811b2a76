/** Who may order what, and what is written down of it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withFaults } from '@sealwire/store/faults';
import { openMemoryStore } from '@sealwire/store/memory';
import { StoreError } from '@sealwire/store/port';
import { type Fixture, startFixture } from '../testing/fixture.ts';
import { adminOperations } from './door.ts';

const DAY_MS = 86_400_000;

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const order = (name: string, body: object = {}, token?: string) =>
  fixture.order(`/v1/admin/${name.replace(' ', '/')}`, body, token);
const tokenFor = async (role: string, days = 1) =>
  (await order('tokens make', { name: `a-${role}`, role, days })).token;
const trail = async (query: object = {}) => (await order('audit', { limit: 200, ...query })).entries;
const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'done',
    ({ code }) => code,
  );

describe('a token', () => {
  it('T198: of a viewer sees and changes nothing; each role does what it may, and no more', async () => {
    await fixture.member('alice');
    const orders = [
      ['accounts list', { limit: 1 }],
      ['accounts disable', { name: 'alice' }],
      ['accounts delete', { name: 'alice' }],
      ['audit', { limit: 1 }],
    ] as const;
    const answers = async (role: string) => {
      const token = await tokenFor(role);
      return Promise.all(orders.map(([name, body]) => codeOf(order(name, body, token))));
    };
    expect(await answers('viewer')).toEqual(['done', 'forbidden', 'forbidden', 'forbidden']);
    expect(await order('accounts show', { name: 'alice' })).not.toHaveProperty('disabledAt');
    expect(await answers('operator')).toEqual(['done', 'done', 'forbidden', 'done']);
    expect(await answers('owner')).toEqual(['done', 'done', 'done', 'done']);
  });

  it('T198: of a viewer finds every order that changes something closed', async () => {
    const token = await tokenFor('viewer');
    const { store } = fixture;
    const changing = adminOperations({ store } as never).filter(({ changes }) => changes);
    expect(changing.length).toBeGreaterThan(12);
    for (const { path } of changing)
      expect([path, await codeOf(fixture.order(path, {}, token))]).toEqual([path, 'forbidden']);
  });

  it('T199: is made, listed and revoked on the machine alone, whatever its role', async () => {
    const token = await tokenFor('owner');
    for (const name of ['tokens make', 'tokens list', 'tokens revoke'])
      expect(await codeOf(order(name, {}, token))).toBe('forbidden');
  });

  it('T199: is good until its end or until it is revoked; every wrong one is refused alike', async () => {
    const token = await tokenFor('viewer', 1);
    const list = (shown: string) => codeOf(order('accounts list', { limit: 1 }, shown));
    expect(await list(token)).toBe('done');
    const [, id = '', secret = ''] = token.split('_');
    const wrong = [
      '',
      'x',
      `swa_${id}_${'A'.repeat(43)}`,
      `swa_${'0'.repeat(16)}_${secret}`,
      `swa_${id}_${secret.slice(1)}`,
      `${token} `,
    ];
    for (const shown of wrong) expect([shown, await list(shown)]).toEqual([shown, 'unauthorized']);
    fixture.clock.now += DAY_MS;
    expect(await list(token)).toBe('unauthorized');
    const other = await tokenFor('viewer');
    expect(await list(other)).toBe('done');
    const { tokens } = await order('tokens list');
    await order('tokens revoke', {
      id: tokens.find((one: { expiresAt: number }) => one.expiresAt > fixture.clock.now).id,
    });
    expect(await list(other)).toBe('unauthorized');
  });

  it('T199: is in the store as a hash, and in no log, list or trail', async () => {
    const token = await tokenFor('owner');
    await order('accounts list', { limit: 1 }, token);
    const secret = token.slice(-43);
    const records = await fixture.store.operatorRecords.list('token', '', 10);
    const seen = JSON.stringify([records, await order('tokens list'), await trail(), fixture.log]);
    expect(seen).toContain('a-owner');
    expect(seen).not.toContain(secret);
  });
});

describe('the door', () => {
  it('T200: is not at the address of the clients, whatever token is shown', async () => {
    const auth = { authorization: `Bearer ${await tokenFor('owner')}` };
    for (const { path } of adminOperations(fixture as never))
      expect((await fixture.call('POST', path, {}, auth)).status).toBe(404);
  });
});

describe('the trail', () => {
  it('T202: says who did what about whom and what became of it, before it begins and after', async () => {
    await fixture.member('alice');
    const token = await tokenFor('operator');
    await order('accounts disable', { name: 'Alice' }, token);
    await codeOf(order('accounts disable', { name: 'nobody' }, token));
    await codeOf(order('accounts delete', { name: 'alice' }, token));
    await order('accounts show', { name: 'alice' });
    const lines = (await trail()).filter(({ what }: { what: string }) => what.startsWith('accounts')).reverse();
    const who = expect.stringMatching(/^a-operator \([0-9a-f]{16}\)$/);
    const alice = 'sip:alice@example.org';
    const line = (rest: object) => expect.objectContaining({ at: fixture.clock.now, who, role: 'operator', ...rest });
    expect(lines).toHaveLength(6);
    expect(lines).toEqual(
      expect.arrayContaining([
        line({ what: 'accounts disable', about: alice, outcome: 'begun' }),
        line({ what: 'accounts disable', about: alice, outcome: 'done' }),
        line({ about: 'sip:nobody@example.org', outcome: 'failed', code: 'not-found' }),
        line({ what: 'accounts delete', outcome: 'refused', code: 'forbidden' }),
        expect.objectContaining({ who: 'machine', what: 'accounts show', about: alice, outcome: 'done' }),
      ]),
    );
  });

  it('T202: has no code of an invitation or a reset, and no text of a notice', async () => {
    await fixture.member('alice');
    const { code } = await fixture.order('/v1/admin/invitations', { uses: 1, days: 1 });
    const reset = await fixture.resetCode('alice');
    await order('notices send', { text: 'the cellar is open', hours: 1 });
    const seen = JSON.stringify(await trail());
    for (const secret of [code, reset.code, 'cellar']) expect(seen).not.toContain(secret);
    expect(seen).toContain('accounts reset');
  });

  it('T203: nothing is done that cannot be written down, and no order changes what is written', async () => {
    await fixture.member('alice');
    const { store } = fixture;
    const broken = withFaults(store, (call) => (call === 'auditTrail.append' ? 'failed' : 'done'));
    await fixture.listening.close();
    const other = await startFixture({}, { store: broken });
    try {
      await expect(other.order('/v1/admin/accounts/disable', { name: 'alice' })).rejects.toBeInstanceOf(StoreError);
      await expect(other.order('/v1/admin/accounts/list', { limit: 1 })).rejects.toBeInstanceOf(StoreError);
      expect(await store.operatorRecords.read('standing', ['sip:alice@example.org'])).toEqual([undefined]);
    } finally {
      await other.close();
    }
    const audits = adminOperations({ store: openMemoryStore() } as never).filter(({ path }) => path.includes('audit'));
    expect(audits.map(({ name, changes }) => [name, changes])).toEqual([['audit', false]]);
  });

  it('is read page by page, and by whom or about whom', async () => {
    await fixture.member('alice');
    for (let i = 0; i < 5; i++) {
      fixture.clock.now += 1_000;
      await order('accounts show', { name: 'alice' });
    }
    const first = await order('audit', { limit: 2 });
    const second = await order('audit', { limit: 200, before: first.next });
    const times = [...first.entries, ...second.entries].map(({ at }: { at: number }) => at);
    expect([...times].sort((a, b) => b - a)).toEqual(times);
    expect(second.next).toBeUndefined();
    // What was read of the trail itself is in it, too, but about nobody.
    expect(await trail({ about: 'alice' })).toHaveLength(5);
    expect(await trail({ who: 'somebody' })).toEqual([]);
  });
});
