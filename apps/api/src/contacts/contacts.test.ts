import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openMemoryStore } from '@sealwire/store/memory';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { CONTACT_RULES, NO_RULES } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { type Fixture, startFixture } from '../testing/fixture.ts';

type Member = Awaited<ReturnType<Fixture['member']>>;

let fixture: Fixture;
let alice: Member;
let bob: Member;
beforeEach(async () => {
  fixture = await startFixture();
  alice = await fixture.member('alice');
  bob = await fixture.member('bob');
});
afterEach(() => fixture.close());

const text = (length: number, value = 1) => encodeBase64url(new Uint8Array(length).fill(value));
const put = (who: Member, path: string, body?: unknown) => fixture.call('PUT', path, body, who.auth);
const get = async (who: Member, path: string) => (await fixture.call('GET', path, undefined, who.auth)).json;
const announced = () => fixture.announced.filter(({ kind }) => kind === 'contacts-changed');

describe('/v1/contacts', () => {
  it('keeps one list of each account, and gives it to nobody else', async () => {
    expect(await get(alice, '/v1/contacts')).toEqual({ version: 0 });
    expect((await put(alice, '/v1/contacts', { after: 0, version: 1, list: text(99) })).status).toBe(204);
    expect(await get(alice, '/v1/contacts')).toEqual({ version: 1, list: text(99) });
    expect(await get(bob, '/v1/contacts')).toEqual({ version: 0 });
    expect((await put(bob, '/v1/contacts', { after: 1, version: 2, list: text(9) })).status).toBe(409);
    expect(await get(alice, '/v1/contacts')).toEqual({ version: 1, list: text(99) });
  });

  it('takes a list in the place of the one that its device has read, and the same again', async () => {
    const send = async (after: number, version: number, value: number) =>
      (await put(alice, '/v1/contacts', { after, version, list: text(9, value) })).status;
    expect([await send(0, 5, 1), await send(0, 5, 1)]).toEqual([204, 204]);
    expect([await send(0, 6, 2), await send(4, 6, 2), await send(5, 5, 2), await send(5, 4, 2)]).toEqual([
      409, 409, 409, 409,
    ]);
    expect(await send(5, 6, 2)).toBe(204);
    expect(await get(alice, '/v1/contacts')).toEqual({ version: 6, list: text(9, 2) });
  });

  it('takes the largest list, and none beyond it', async () => {
    const most = LIMITS.contactListBytes.value;
    expect((await put(alice, '/v1/contacts', { after: 0, version: 1, list: text(most) })).status).toBe(204);
    expect((await put(alice, '/v1/contacts', { after: 1, version: 2, list: text(most + 1) })).status).toBe(400);
  });

  it('tells the other devices', async () => {
    await put(alice, '/v1/contacts', { after: 0, version: 3, list: text(9) });
    expect(announced()).toEqual([{ kind: 'contacts-changed', address: alice.person.address, version: 3, devices: [] }]);
  });

  it('so many changes an hour: 429 with Retry-After', async () => {
    await fixture.close();
    fixture = await startFixture({ CONTACT_CHANGES_PER_ACCOUNT: 2 });
    alice = await fixture.member('alice');
    const statuses = [];
    for (const path of ['/v1/blocks/sip:x@y.z', '/v1/blocks/sip:x2@y.z', '/v1/blocks/sip:x3@y.z'])
      statuses.push((await put(alice, path)).status);
    const { status, headers } = await put(alice, '/v1/contacts', { after: 0, version: 3, list: text(9) });
    expect([...statuses, status]).toEqual([204, 204, 429, 429]);
    expect(headers.get('retry-after')).toBe('3600');
  });
});

describe('/v1/contacts/policy', () => {
  const policy = (version: number, change: object = {}) => ({
    version,
    policy: 'requests',
    salt: text(16),
    allowed: encodeBase64url(Uint8Array.from([...new Uint8Array(8), ...new Uint8Array(8).fill(1)])),
    ...change,
  });

  it('is everyone, until a device says otherwise; the policy of the later list stays', async () => {
    expect(await get(alice, '/v1/contacts/policy')).toEqual({ version: 0, policy: 'everyone', salt: '', allowed: '' });
    expect((await put(alice, '/v1/contacts/policy', policy(4))).status).toBe(204);
    expect((await put(alice, '/v1/contacts/policy', policy(3, { policy: 'contacts' }))).status).toBe(409);
    expect((await put(alice, '/v1/contacts/policy', policy(4))).status).toBe(204);
    expect(await get(alice, '/v1/contacts/policy')).toEqual(policy(4));
    expect(await get(bob, '/v1/contacts/policy')).toMatchObject({ policy: 'everyone' });
    const told = { kind: 'contacts-changed', address: alice.person.address, version: 0, devices: [] };
    expect(announced()).toEqual([told, told]);
  });

  it.each([
    ['half an entry', { allowed: text(12) }],
    ['entries out of order', { allowed: encodeBase64url(Uint8Array.from([...Array(8).fill(2), ...Array(8).fill(1)])) }],
    ['an entry twice', { allowed: text(16) }],
    ['a short salt', { salt: text(8) }],
    ['another policy', { policy: 'nobody' }],
    ['too many entries', { allowed: text(8 * (LIMITS.contactsPerAccount.value + 1)) }],
  ])('refuses %s', async (_, change) => {
    const { status, json } = await put(alice, '/v1/contacts/policy', policy(1, change));
    expect([status, json.code]).toEqual([400, 'bad-request']);
    expect(await get(alice, '/v1/contacts/policy')).toMatchObject({ policy: 'everyone' });
  });

  it('leaves the blocks as they are', async () => {
    await put(alice, '/v1/blocks/sip:eve@example.org');
    await put(alice, '/v1/contacts/policy', policy(4));
    expect(await get(alice, '/v1/blocks')).toEqual({ blocked: ['sip:eve@example.org'] });
    await fixture.call('DELETE', '/v1/blocks/sip:eve@example.org', undefined, alice.auth);
    expect(await get(alice, '/v1/contacts/policy')).toEqual(policy(4));
  });
});

describe('/v1/blocks', () => {
  const block = (who: Member, address: string) => put(who, `/v1/blocks/${encodeURIComponent(address)}`);
  const unblock = (who: Member, address: string) =>
    fixture.call('DELETE', `/v1/blocks/${encodeURIComponent(address)}`, undefined, who.auth);

  it('I03: are each account’s own', async () => {
    expect((await block(alice, 'sip:eve@example.org')).status).toBe(204);
    expect(await get(alice, '/v1/blocks')).toEqual({ blocked: ['sip:eve@example.org'] });
    expect((await unblock(bob, 'sip:eve@example.org')).status).toBe(204);
    expect(await get(bob, '/v1/blocks')).toEqual({ blocked: [] });
    expect(await get(alice, '/v1/blocks')).toEqual({ blocked: ['sip:eve@example.org'] });
  });

  it('may be set and ended again and again; each time the relay is told', async () => {
    for (const change of [block, block, unblock, unblock])
      expect((await change(alice, bob.person.address)).status).toBe(204);
    expect(await get(alice, '/v1/blocks')).toEqual({ blocked: [] });
    const told = { kind: 'contacts-changed', address: alice.person.address, version: 0, devices: [] };
    expect(announced()).toEqual([told, told, told, told]);
  });

  it('J08: say nothing of whether there is such an account', async () => {
    const answers = [await block(alice, bob.person.address), await block(alice, 'sip:nobody@example.org')];
    expect(answers.map(({ status, text: body }) => [status, body])).toEqual([
      [204, ''],
      [204, ''],
    ]);
    for (const none of ['nobody', 'sip:nobody', 'sip:a@b.c;gr=x', 'x'.repeat(600)])
      expect((await block(alice, none)).status).toBe(404);
  });

  it('refuse the own account, and more than 500', async () => {
    const own = await block(alice, alice.person.address);
    expect([own.status, own.json.code]).toEqual([403, 'forbidden']);
    const blocked = Array.from({ length: LIMITS.blocksPerAccount.value }, (_, n) => `sip:n${n}@example.org`);
    const bytes = CONTACT_RULES.encode({ ...NO_RULES, blocked: blocked as AccountAddress[] });
    await fixture.store.accountRecords.replace(alice.person.address, 'contact-rules', 0, { version: 1, bytes });
    expect((await get(alice, '/v1/blocks')).blocked).toEqual(blocked);
    const over = await block(alice, 'sip:over@example.org');
    expect([over.status, over.json.code]).toEqual([422, 'limit-reached']);
    expect((await block(alice, 'sip:n7@example.org')).status).toBe(204);
    await unblock(alice, 'sip:n7@example.org');
    expect((await block(alice, 'sip:over@example.org')).status).toBe(204);
  });

  it('that several devices change at the same time are all kept', async () => {
    const names = [1, 2, 3, 4, 5].map((n) => `sip:n${n}@example.org`);
    const answers = await Promise.all(names.map((name) => block(alice, name)));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 204));
    expect((await get(alice, '/v1/blocks')).blocked.toSorted()).toEqual(names);
  });

  it('I13: of nobody is anything in the log and the metrics', async () => {
    await block(alice, 'sip:secret-friend@example.org');
    expect(fixture.log.join('') + (await fixture.metrics.text())).not.toContain('secret-friend');
  });

  it('I12: go with the account', async () => {
    await fixture.close();
    const store = openMemoryStore();
    fixture = await startFixture({}, { store });
    alice = await fixture.member('alice');
    await block(alice, 'sip:eve@example.org');
    await fixture.call('DELETE', '/v1/account', undefined, alice.auth);
    expect(await store.accountRecords.read([alice.person.address], 'contact-rules')).toEqual([undefined]);
  });
});
