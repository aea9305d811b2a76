import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createAppPasswordVault } from '@sealwire/access/app-password-vault';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { openMemoryStore } from '@sealwire/store/memory';
import type { DeviceId } from '@sealwire/wire/ids';
import { type Answer, crypto, type Fixture, startFixture } from '../testing/fixture.ts';
import { person } from '../testing/person.ts';

const KEY = crypto.sha256(Buffer.from('key'));

let fixture: Fixture;
afterEach(() => fixture.close());

const make = (auth: Record<string, string>, name: string) => fixture.call('POST', '/v1/app-passwords', { name }, auth);
const list = async (auth: Record<string, string>) =>
  (await fixture.call('GET', '/v1/app-passwords', undefined, auth)).json.appPasswords;

describe('/v1/app-passwords', () => {
  it('makes one of 140 random bits in readable groups, and shows it this once', async () => {
    fixture = await startFixture();
    const { auth, person: alice } = await fixture.member('alice');
    const { status, json, headers } = await make(auth, 'Linphone on the desk');
    expect(status).toBe(201);
    expect(json).toEqual({
      id: expect.stringMatching(/^[a-km-np-z2-9]{10}$/),
      name: 'Linphone on the desk',
      createdAt: fixture.clock.now,
      user: 'alice',
      realm: 'example.org',
      password: expect.stringMatching(/^(?:[a-km-np-z2-9]{4}-){6}[a-km-np-z2-9]{4}$/),
    });
    expect(headers.get('cache-control')).toBe('no-store');
    const listed = await fixture.call('GET', '/v1/app-passwords', undefined, auth);
    expect(listed.json).toEqual({
      appPasswords: [{ id: json.id, name: 'Linphone on the desk', createdAt: fixture.clock.now }],
    });
    const [held] = await fixture.store.appPasswords.list(alice.address);
    const stored = Buffer.from(held!.verifier).toString('latin1');
    for (const secret of [
      json.password,
      createHash('sha256').update(`alice:example.org:${json.password}`).digest('binary'),
    ])
      expect(stored).not.toContain(secret);
  });

  it('no two are alike', async () => {
    fixture = await startFixture();
    const { auth } = await fixture.member('alice');
    const made = [];
    for (let i = 0; i < 20; i++) made.push((await make(auth, `p${i}`)).json);
    expect(new Set(made.map(({ password }) => password)).size).toBe(20);
    expect(new Set(made.map(({ id }) => id)).size).toBe(20);
  });

  it('20 are held, and not one more until one is revoked', async () => {
    fixture = await startFixture();
    const { auth } = await fixture.member('alice');
    for (let i = 0; i < 20; i++) expect((await make(auth, `p${i}`)).status).toBe(201);
    const over = await make(auth, 'over');
    expect([over.status, over.json.code]).toEqual([422, 'limit-reached']);
    const [{ id }] = await list(auth);
    expect((await fixture.call('DELETE', `/v1/app-passwords/${id}`, undefined, auth)).status).toBe(204);
    expect((await make(auth, 'over')).status).toBe(201);
  });

  it('a name has one form: spelled otherwise it is taken', async () => {
    fixture = await startFixture();
    const { auth } = await fixture.member('alice');
    const made = await make(auth, 'Cafe\u0301\u00a0phone');
    expect([made.status, made.json.name]).toEqual([201, 'Caf\u00e9 phone']);
    expect((await make(auth, 'Caf\u00e9 phone')).status).toBe(409);
  });

  it('a name is given once: who lost the answer finds a conflict', async () => {
    fixture = await startFixture();
    const { auth } = await fixture.member('alice');
    await make(auth, 'Linphone');
    const again = await make(auth, 'Linphone');
    expect([again.status, again.json.code]).toEqual([409, 'conflict']);
    expect((await make((await fixture.member('bob')).auth, 'Linphone')).status).toBe(201);
  });

  it.each(['', 'x'.repeat(65), 'a\u0007b', 'desk\u202e', 'de\u200bsk', 'a\u2028b', 7])(
    'refuses the name %j',
    async (name) => {
      fixture = await startFixture();
      const { auth } = await fixture.member('alice');
      expect((await make(auth, name as string)).status).toBe(400);
    },
  );

  it('I03: those of another account are as unknown as what never was', async () => {
    fixture = await startFixture();
    const { auth } = await fixture.member('alice');
    const bob = await fixture.member('bob');
    const { json } = await make(bob.auth, 'his');
    const answers: Answer[] = [];
    for (const id of [json.id, 'abcdefghij', 'x'.repeat(600), '%00'])
      answers.push(await fixture.call('DELETE', `/v1/app-passwords/${id}`, undefined, auth));
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([404, answers[0]!.text]);
    expect(await list(auth)).toEqual([]);
    expect(await list(bob.auth)).toHaveLength(1);
  });

  it('so many an hour: 429 with Retry-After', async () => {
    fixture = await startFixture({ NEW_APP_PASSWORDS_PER_ACCOUNT: 2 });
    const { auth } = await fixture.member('alice');
    const answers = [await make(auth, 'a'), await make(auth, 'b'), await make(auth, 'c')];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 429]);
    expect(answers[2]!.headers.get('retry-after')).toBe('3600');
  });

  it('without a key there are none', async () => {
    fixture = await startFixture({}, { appPasswordKey: undefined });
    const { auth } = await fixture.member('alice');
    for (const answer of [await make(auth, 'a'), await fixture.call('GET', '/v1/app-passwords', undefined, auth)]) {
      expect([answer.status, answer.json.code]).toEqual([404, 'not-found']);
      expect(answer.json.detail).toContain('APP_PASSWORD_KEY');
    }
    const body = { device: 'sip:alice@example.org;gr=x', user: 'alice', password: 'x' };
    expect((await fixture.call('POST', '/v1/login/app-password', body)).status).toBe(401);
  });

  it('I13: no password, name or id of one in the log and the metrics', async () => {
    fixture = await startFixture();
    const { auth } = await fixture.member('alice');
    const { json } = await make(auth, 'Linphone');
    await make(auth, 'Linphone');
    await fixture.call('DELETE', `/v1/app-passwords/${json.id}`, undefined, auth);
    const told = fixture.log.join('') + (await fixture.metrics.text());
    for (const secret of [json.password, json.id, 'Linphone']) expect(told).not.toContain(secret);
  });
});

describe('POST /v1/login/app-password', () => {
  const alice = person(crypto, 'alice');
  const admitted = `${alice.address};gr=urn:uuid:admitted` as DeviceId;
  const PASSWORD = 'abcd-efgh';

  /** Alice with a device that has a login key and one that has none, and an app password. */
  async function start(settings: Parameters<typeof startFixture>[0] = {}) {
    const store = openMemoryStore();
    fixture = await startFixture(settings, { store, appPasswordKey: KEY });
    await fixture.member('alice');
    const identities = [{ suite: 'c25519' as const, identityKey: new Uint8Array(32) }];
    const first = (await store.devices.list([alice.address]))[0]![0]!;
    const second = { id: admitted, identities, loginKey: new Uint8Array(), addedAt: 1 };
    const manifest = { version: 2, bytes: Uint8Array.of(2), signature: new Uint8Array(64) };
    await store.manifests.publish(alice.address, manifest, [first, second], 0);
    const random = seededRandom('vault');
    const domain = 'example.org';
    const vault = createAppPasswordVault({ crypto, random, key: KEY, domain, realm: domain, md5: false });
    const verifier = vault.seal({ address: alice.address, id: 'one' }, PASSWORD);
    await store.appPasswords.add(alice.address, { id: 'one', name: 'one', createdAt: 1, verifier }, 20);
  }

  const login = (change: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
    fixture.call(
      'POST',
      '/v1/login/app-password',
      { device: admitted, user: 'alice', password: PASSWORD, ...change },
      headers,
    );
  const claims = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());

  it.each(['alice', 'alice@example.org', 'sip:alice@example.org'])(
    'as %s: a token of the device for the key directory and the relay, and not for the API',
    async (user) => {
      await start();
      const { status, json } = await login({ user });
      expect(status).toBe(200);
      expect(claims(json.token)).toMatchObject({ sub: admitted, aud: ['directory', 'relay'] });
      expect(json.expiresAt).toBe(fixture.clock.now + 15 * 60_000);
      const auth = { authorization: `Bearer ${json.token}` };
      for (const [method, path] of [
        ['GET', '/v1/app-passwords'],
        ['DELETE', '/v1/account'],
        ['GET', '/v1/devices'],
      ] as const)
        expect((await fixture.call(method, path, undefined, auth)).status).toBe(401);
    },
  );

  it('S76: every failure is the same 401', async () => {
    await start();
    await fixture.member('bob');
    const bobs = person(crypto, 'bob').device;
    const answers = [
      await login({ password: 'wrong' }),
      await login({ user: 'bob' }),
      await login({ user: 'nobody' }),
      await login({ user: 'alice@example.com' }),
      await login({ device: alice.device }),
      await login({ device: bobs }),
      await login({ device: `${alice.address};gr=urn:uuid:unknown` }),
    ];
    for (const { status, text } of answers) expect([status, text]).toEqual([401, answers[0]!.text]);
  });

  it('a device without a login key cannot log in by challenge, and that is the 401 of any other', async () => {
    await start();
    const { json } = await fixture.call('POST', '/v1/login/challenge', { device: admitted });
    const signed = { ...alice.answer('https://chat.example.org', json.challenge), device: admitted };
    const refused = await fixture.call('POST', '/v1/login/token', signed);
    expect([refused.status, refused.json.code]).toEqual([401, 'unauthorized']);
  });

  it('a revoked password and a removed device are refused', async () => {
    await start();
    expect((await login()).status).toBe(200);
    await fixture.store.devices.remove(admitted, 1);
    expect((await login()).status).toBe(401);
    await fixture.store.appPasswords.remove(alice.address, 'one');
    expect((await login()).status).toBe(401);
  });

  it('I08: wrong ones are limited by address and by account', async () => {
    await start({ WRONG_PASSWORDS_PER_ADDRESS: 2, WRONG_PASSWORDS_PER_ACCOUNT: 3, TRUSTED_PROXIES: ['127.0.0.1'] });
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const wrong = { password: 'wrong' };
    const statuses = [];
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.3'])
      statuses.push((await login(wrong, from(address))).status);
    expect(statuses).toEqual([401, 401, 429, 401, 429]);
    expect((await login({}, from('192.0.2.4'))).status).toBe(429);
  });
});
