import { afterEach, describe, expect, it } from '@jest/globals';
import { twinOf } from '@sealwire/crypto/testing/twin';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { parseDeviceId } from '@sealwire/wire/ids';
import { decodeManifest, manifestSigningInput } from '@sealwire/wire/manifest';
import { z } from 'zod';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';
import { person } from '../testing/person.ts';
import { createInvitation, INVITATIONS_PATH } from './invitations.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

const alice = person(crypto, 'alice');

describe('POST /v1/accounts', () => {
  it('makes an account with its first device', async () => {
    fixture = await startFixture();
    const { status, json } = await fixture.call('POST', '/v1/accounts', alice.creation());
    expect(status).toBe(201);
    expect(json).toEqual({ address: alice.address, createdAt: fixture.clock.now });
    expect((await fixture.store.devices.list([alice.address]))[0]!.map(({ id }) => id)).toEqual([alice.device]);
    expect((await fixture.store.manifests.newest(alice.address))?.version).toBe(1);
  });

  it('D08: an account with a key that another account uses is a conflict, and the name stays free', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const bob = person(crypto, 'bob');
    await fixture.store.waiting.register(
      parseDeviceId(`${alice.address};gr=urn:uuid:linphone`),
      'c25519',
      {
        identityKey: bob.loginKey,
        signedPrekey: { id: 1, publicKey: new Uint8Array(32), signature: new Uint8Array(64) },
      },
      [],
      { maximum: 10, now: 5 },
    );
    const refused = await fixture.call('POST', '/v1/accounts', bob.creation());
    expect([refused.status, refused.json.code]).toEqual([409, 'conflict']);
    expect((await fixture.call('POST', '/v1/accounts', person(crypto, 'bob', 'other').creation())).status).toBe(201);
  });

  it('answers the same request again with the same account, and a name that is taken with 409', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const made = fixture.clock.now;
    fixture.clock.now += 5000;
    const again = await fixture.call('POST', '/v1/accounts', alice.creation());
    expect([again.status, again.json.createdAt]).toEqual([200, made]);
    const thief = await fixture.call('POST', '/v1/accounts', person(crypto, 'alice', 'thief').creation());
    expect([thief.status, thief.json.code]).toEqual([409, 'name-taken']);
  });

  it('T105: the name of an account that nobody finished is free after a day, and its device is cut off', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const other = person(crypto, 'alice', 'other');
    const day = 24 * 60 * 60_000;
    fixture.clock.now += day - 1;
    expect((await fixture.call('POST', '/v1/accounts', other.creation())).json.code).toBe('name-taken');
    fixture.clock.now += 1;
    fixture.announced.length = 0;
    expect((await fixture.call('POST', '/v1/accounts', other.creation())).status).toBe(201);
    expect(fixture.announced).toEqual([
      { kind: 'device-removed', device: alice.device },
      { kind: 'devices-changed', address: alice.address, version: 0, devices: [] },
    ]);
    expect((await fixture.login(alice)).status).toBe(401);
    expect((await fixture.call('POST', '/v1/accounts', alice.creation())).json.code).toBe('name-taken');
    expect((await fixture.login(other)).status).toBe(200);
  });

  it('T105: an account with keys keeps its name, whatever the clock says', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const keys = { identityKey: new Uint8Array(32).fill(1), signedPrekey: { id: 1, publicKey: new Uint8Array(32) } };
    const signed = { ...keys, signedPrekey: { ...keys.signedPrekey, signature: new Uint8Array(64) } };
    await fixture.store.prekeys.register(alice.device, 'c25519', signed, []);
    fixture.clock.now += 1e12;
    const thief = await fixture.call('POST', '/v1/accounts', person(crypto, 'alice', 'thief').creation());
    expect(thief.json.code).toBe('name-taken');
    expect((await fixture.login(alice)).status).toBe(200);
  });

  it('one of many at once makes it', async () => {
    fixture = await startFixture();
    const bodies = [alice, person(crypto, 'alice', 'other')].map((somebody) => somebody.creation());
    const answers = await Promise.all([0, 1, 0, 1].map((i) => fixture.call('POST', '/v1/accounts', bodies[i])));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201, 409, 409]);
  });

  it.each([
    ['of another domain', { address: 'sip:alice@evil.example' }],
    ['of another name', { address: 'sip:bob@example.org' }],
    ['with version 2', { version: 2, previous: new Uint8Array(32).fill(1) }],
    ['without a device', { devices: [] }],
  ])('refuses a manifest %s', async (_, change) => {
    fixture = await startFixture();
    const address = (change as { address?: string }).address;
    const devices = person(crypto, 'alice');
    const body = address
      ? { ...person(crypto, 'alice').creation(), manifest: foreignManifest(address) }
      : devices.creation(change as never);
    const { status, json } = await fixture.call('POST', '/v1/accounts', body);
    expect([status, json.code]).toEqual([422, 'invalid-manifest']);
    expect(await fixture.store.accounts.find(alice.address)).toBeUndefined();
  });

  function foreignManifest(address: string) {
    const id = `${address};gr=urn:uuid:1` as never;
    const [device] = devicesOf();
    return alice.creation({ address: address as never, devices: [{ ...device!, id }] }).manifest;
  }

  function devicesOf() {
    const identityKey = crypto.suites.c25519.signatures.publicKey(crypto.sha256(Buffer.from('x')));
    return [
      {
        id: alice.device,
        identities: [{ suite: 'c25519' as const, identityKey }],
        loginKey: alice.loginKey,
        addedAt: 1,
      },
    ];
  }

  it('refuses two first devices', async () => {
    fixture = await startFixture();
    const [device] = devicesOf();
    const loginKey = crypto.ed25519.publicKey(crypto.sha256(Buffer.from('second')));
    const identityKey = crypto.suites.c25519.signatures.publicKey(crypto.sha256(Buffer.from('second identity')));
    const second = {
      ...device!,
      id: `${alice.address};gr=urn:uuid:2` as never,
      loginKey,
      identities: [{ suite: 'c25519' as const, identityKey }],
    };
    const { status, json } = await fixture.call('POST', '/v1/accounts', alice.creation({ devices: [device!, second] }));
    expect([status, json.code, json.detail]).toEqual([422, 'invalid-manifest', 'the first manifest names one device']);
  });

  it('refuses a manifest signed by another key, and a signature over bare bytes (S33)', async () => {
    fixture = await startFixture();
    const body = alice.creation();
    const bare = crypto.ed25519.sign(alice.accountSeed, Buffer.from(body.manifest.manifest, 'base64url'));
    const byLoginKey = crypto.ed25519.sign(
      alice.loginSeed,
      Buffer.concat([Buffer.from('sealwire/manifest/v1\0'), Buffer.from(body.manifest.manifest, 'base64url')]),
    );
    for (const signature of [bare, byLoginKey]) {
      const manifest = { ...body.manifest, signature: Buffer.from(signature).toString('base64url') };
      const { status } = await fixture.call('POST', '/v1/accounts', { ...body, manifest });
      expect(status).toBe(422);
    }
  });

  it('S31: a small-order account key with its all-messages signature is refused', async () => {
    fixture = await startFixture();
    const body = alice.creation();
    const identityPoint = Buffer.from(`01${'00'.repeat(31)}`, 'hex');
    const forged = Buffer.concat([identityPoint, Buffer.alloc(32)]);
    const { status, json } = await fixture.call('POST', '/v1/accounts', {
      ...body,
      accountKey: identityPoint.toString('base64url'),
      manifest: { ...body.manifest, signature: forged.toString('base64url') },
    });
    expect([status, json.code]).toEqual([422, 'invalid-manifest']);
  });

  it('S31: an account key with a part of small order is refused, though its signature holds', async () => {
    fixture = await startFixture();
    const body = alice.creation();
    const twin = twinOf(alice.accountSeed);
    const signature = twin.sign(manifestSigningInput(decodeBase64url(body.manifest.manifest)));
    const { status, json } = await fixture.call('POST', '/v1/accounts', {
      ...body,
      accountKey: encodeBase64url(twin.publicKey),
      manifest: { ...body.manifest, signature: encodeBase64url(signature) },
    });
    expect([status, json.detail]).toEqual([422, 'the account key is not a good one']);
  });

  it.each(['urn:uuid:1\u202e', 'urn:uuid:1\u200b', 're\u0301ne'])('a first device called %j is refused', async (gr) => {
    fixture = await startFixture();
    const [device] = decodeManifest(decodeBase64url(alice.creation().manifest.manifest)).devices;
    const devices = [{ ...device!, id: parseDeviceId(`${alice.address};gr=${gr}`) }];
    const { status, json } = await fixture.call('POST', '/v1/accounts', alice.creation({ devices }));
    expect([status, json.code]).toEqual([422, 'invalid-manifest']);
  });

  it('is limited per address', async () => {
    fixture = await startFixture({ ACCOUNTS_PER_ADDRESS: 1 });
    expect((await fixture.call('POST', '/v1/accounts', alice.creation())).status).toBe(201);
    const second = await fixture.call('POST', '/v1/accounts', person(crypto, 'bob').creation());
    expect(second.status).toBe(429);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(3500);
  });

  it('is limited per IPv6 network, too: another /64 is not another customer for ever', async () => {
    fixture = await startFixture({ ACCOUNTS_PER_ADDRESS: 1, TRUSTED_PROXIES: ['127.0.0.1'] });
    const from = async (address: string, n: number) => {
      const body = person(crypto, `person${n}`).creation();
      return (await fixture.call('POST', '/v1/accounts', body, { 'x-forwarded-for': address })).status;
    };
    const statuses = [];
    for (let n = 1; n <= 5; n++) statuses.push(await from(`2001:db8:1:${n}::1`, n));
    expect(statuses).toEqual([201, 201, 201, 201, 429]);
    expect(await from('2001:db8:2:1::1', 6)).toBe(201);
    expect(await from('2001:0DB8:2:1:0:0:0:2', 7)).toBe(429);
    expect(await from('192.0.2.1', 8)).toBe(201);
    expect(await from('::ffff:c000:201', 9)).toBe(429);
    expect(await fixture.metrics.text()).toContain('sealwire_ratelimit_rejections_total{limiter="accounts-network"} 1');
  });

  it('503 with Retry-After when the store is gone, and nothing of why', async () => {
    fixture = await startFixture();
    await fixture.store.close();
    const { status, headers, json } = await fixture.call('POST', '/v1/accounts', alice.creation());
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
    expect(json.detail).toBeUndefined();
    expect((await fixture.call('GET', '/readyz')).status).toBe(503);
    expect((await fixture.call('GET', '/livez')).status).toBe(200);
  });
});

describe('I10: invitations', () => {
  const invite = (uses = 1, lifeMs = 60_000) =>
    createInvitation({ store: fixture.store, crypto, random: fixture.random, now: fixture.clock.now, uses, lifeMs });
  const join = (name: string, invitation?: string) =>
    fixture.call('POST', '/v1/accounts', { ...person(crypto, name).creation(), ...(invitation ? { invitation } : {}) });

  it('have 160 bits and differ', async () => {
    fixture = await startFixture({ GATE: 'invitation' });
    const codes = [await invite(), await invite()].map(({ code }) => code);
    expect(new Set(codes).size).toBe(2);
    for (const code of codes) expect(Buffer.from(code, 'base64url')).toHaveLength(20);
  });

  it('of the administrator: good for so many accounts and days, within bounds and in the documented form', async () => {
    fixture = await startFixture({ GATE: 'invitation' });
    const { clock } = fixture;
    const ask = (body: object) => fixture.order(INVITATIONS_PATH, body);
    const { code, expiresAt } = await ask({ uses: 1, days: 7 });
    expect(expiresAt).toBe(clock.now + 7 * 24 * 3_600_000);
    expect((await join('alice', code)).status).toBe(201);
    expect((await join('bob', code)).status).toBe(403);
    await ask({ uses: 10_000, days: 3_650 });
    for (const wrong of [{ uses: 0 }, { uses: 10_001 }, { uses: 1.5 }, { days: 0 }, { days: 3_651 }, { more: 1 }])
      await expect(ask({ uses: 1, days: 1, ...wrong })).rejects.toThrow(z.ZodError);
  });

  it('none, a wrong one and an ended one are the same 403', async () => {
    fixture = await startFixture({ GATE: 'invitation' });
    const { code } = await invite(1, 60_000);
    const none = await join('alice');
    const wrong = await join('alice', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA');
    fixture.clock.now += 60_001;
    const ended = await join('alice', code);
    for (const { status, text } of [none, wrong, ended]) {
      expect(status).toBe(403);
      expect(text).toBe(none.text);
    }
    expect(none.json.code).toBe('invitation-invalid');
  });

  it('are good for their number of accounts; a repeat of the request takes none', async () => {
    fixture = await startFixture({ GATE: 'invitation' });
    const { code } = await invite(2);
    expect((await join('alice', code)).status).toBe(201);
    expect((await join('alice', code)).status).toBe(200);
    expect((await join('bob', code)).status).toBe(201);
    expect((await join('carol', code)).status).toBe(403);
    expect((await join('alice', code)).status).toBe(200);
  });

  it('one use, many at once: one account', async () => {
    fixture = await startFixture({ GATE: 'invitation' });
    const { code } = await invite(1);
    const answers = await Promise.all(['ann', 'ben', 'cid', 'dan'].map((name) => join(name, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403]);
  });

  it('a refused manifest does not take one', async () => {
    fixture = await startFixture({ GATE: 'invitation' });
    const { code } = await invite(1);
    const bad = { ...alice.creation({ devices: [] }), invitation: code };
    expect((await fixture.call('POST', '/v1/accounts', bad)).status).toBe(422);
    expect((await join('alice', code)).status).toBe(201);
  });
});

describe('I12: a deleted account', () => {
  it('is dead: token, login, name, devices; all nodes are told', async () => {
    fixture = await startFixture();
    const { auth, person: alice } = await fixture.member('alice');
    fixture.announced.length = 0;
    expect((await fixture.call('DELETE', '/v1/account', undefined, auth)).status).toBe(204);
    expect((await fixture.call('GET', '/v1/account', undefined, auth)).status).toBe(401);
    expect((await fixture.call('DELETE', '/v1/account', undefined, auth)).status).toBe(401);
    expect((await fixture.login(alice)).status).toBe(401);
    const again = await fixture.call('POST', '/v1/accounts', alice.creation());
    expect([again.status, again.json.code]).toEqual([409, 'name-taken']);
    expect(await fixture.store.devices.list([alice.address])).toEqual([[]]);
    expect(fixture.announced).toEqual([
      { kind: 'device-removed', device: alice.device },
      { kind: 'devices-changed', address: alice.address, version: 0, devices: [] },
    ]);
  });
});

describe('devices', () => {
  it('are listed, the caller’s marked', async () => {
    fixture = await startFixture();
    const { auth, person: alice } = await fixture.member('alice');
    const { json } = await fixture.call('GET', '/v1/devices', undefined, auth);
    const identityKey = encodeBase64url((await fixture.store.devices.find(alice.device))!.identities[0]!.identityKey);
    const identities = [{ curve: 'c25519', identityKey }];
    const listed = { id: alice.device, state: 'listed', identities, curves: ['c25519'], current: true };
    expect(json).toEqual({ devices: [{ ...listed, addedAt: 1_800_000_000_000 }] });
  });

  it('that wait are listed after them, and removed like them; a stranger sees and removes none', async () => {
    fixture = await startFixture();
    const { auth, person: alice } = await fixture.member('alice');
    const { auth: bobs } = await fixture.member('bob');
    const waiting = parseDeviceId(`${alice.address};gr=urn:uuid:linphone`);
    const key = (n: number) => new Uint8Array(32).fill(n);
    const signedPrekey = { id: 1, publicKey: key(2), signature: new Uint8Array(64) };
    const terms = { maximum: 10, now: 5 };
    await fixture.store.waiting.register(waiting, 'c25519', { identityKey: key(1), signedPrekey }, [], terms);
    const list = async (caller: typeof auth) => (await fixture.call('GET', '/v1/devices', undefined, caller)).json;
    const identities = [{ curve: 'c25519', identityKey: encodeBase64url(key(1)) }];
    const entry = { id: waiting, state: 'waiting', identities, curves: ['c25519'], addedAt: 5, current: false };
    expect((await list(auth)).devices.slice(1)).toEqual([entry]);
    expect((await list(bobs)).devices).toHaveLength(1);
    fixture.announced.length = 0;
    const path = `/v1/devices/${encodeURIComponent(waiting)}`;
    const statuses = [];
    for (const caller of [bobs, auth, auth])
      statuses.push((await fixture.call('DELETE', path, undefined, caller)).status);
    expect(statuses).toEqual([404, 204, 404]);
    expect((await list(auth)).devices).toHaveLength(1);
    expect(fixture.announced).toEqual([]);
  });

  it('a removed one is out at once: its token too; a repeat by it is a 401', async () => {
    fixture = await startFixture();
    const { auth, person: alice } = await fixture.member('alice');
    fixture.announced.length = 0;
    const path = `/v1/devices/${encodeURIComponent(alice.device)}`;
    expect((await fixture.call('DELETE', path, undefined, auth)).status).toBe(204);
    expect((await fixture.call('DELETE', path, undefined, auth)).status).toBe(401);
    expect((await fixture.login(alice)).status).toBe(401);
    expect(fixture.announced.map(({ kind }) => kind)).toEqual(['device-removed', 'devices-changed']);
  });

  it('E07: the answer does not wait for a bus that is gone', async () => {
    const broken = {
      reach: 'nodes' as const,
      publish: () => Promise.reject(new Error('gone')),
      subscribe: () => Promise.reject(new Error('gone')),
      async close() {},
    };
    fixture = await startFixture({}, { bus: broken });
    const { auth, person: alice } = await fixture.member('alice');
    expect(
      (await fixture.call('DELETE', `/v1/devices/${encodeURIComponent(alice.device)}`, undefined, auth)).status,
    ).toBe(204);
    expect(fixture.log.join('')).toContain('announcements-refused');
  });
});
