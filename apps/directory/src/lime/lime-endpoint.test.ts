import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeRequest, LIME_ERRORS, type ServedSuite } from '@sealwire/wire/lime-server';
import { enrol, testDevice } from '../testing/device.ts';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';

const alice = testDevice(crypto, 'alice');
const bob = testDevice(crypto, 'bob');
const request = encodeRequest({ kind: 'getSelfOneTimePrekeys', suite: 'c448' });
const notRegistered = [1, 0xff, 2, LIME_ERRORS.userNotFound];

let fixture: Fixture;
let headers: Record<string, string>;
beforeEach(async () => {
  fixture = await startFixture();
  await enrol(fixture.store, alice);
  await enrol(fixture.store, bob);
  headers = await fixture.headersOf(alice);
});
afterEach(() => fixture.close());

const head = (body: Buffer) => [...body.subarray(0, 4)];
const without = (name: string) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));

describe('POST /lime', () => {
  it('answers protocol errors with 200, its content type, and the curve of the request', async () => {
    const { status, headers: answered, body } = await fixture.limeRaw(request, headers);
    expect([status, answered.get('content-type')]).toEqual([200, 'x3dh/octet-stream']);
    expect(head(body)).toEqual(notRegistered);
  });

  it.each(['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])('%s → 405 with Allow', async (method) => {
    const answer = await fixture.limeRaw(request, headers, method);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('no token, a wrong one, an ended one, one for another service → 401 with a challenge, before anything else', async () => {
    const foreign = (await fixture.signer.sign(alice.id, ['api', 'relay'])).token;
    for (const authorization of ['', 'Bearer x.y.z', 'Basic YTpi', `Bearer ${foreign}`]) {
      const given = authorization ? { ...headers, authorization } : without('authorization');
      const answer = await fixture.limeRaw(request, { ...given, 'content-type': 'text/plain' });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Digest realm="example.org", .*, Bearer/);
    }
    fixture.clock.now += 17 * 60_000;
    const ended = await fixture.limeRaw(request, headers);
    expect([ended.status, JSON.parse(ended.body.toString()).code]).toEqual([401, 'token-expired']);
  });

  it('S72: a token in the URL is no login', async () => {
    const token = headers.authorization!.slice('Bearer '.length);
    const url = `${fixture.listening.url}/lime?access_token=${token}`;
    const answer = await fetch(url, { method: 'POST', headers: without('authorization'), body: request });
    expect(answer.status).toBe(401);
  });

  it('the identity header must name the device of the token → 403', async () => {
    expect((await fixture.limeRaw(request, { ...headers, from: bob.id })).status).toBe(403);
    expect((await fixture.limeRaw(request, { ...headers, 'x-lime-user-identity': bob.id })).status).toBe(403);
    expect((await fixture.limeRaw(request, { ...headers, from: `${alice.id}x` })).status).toBe(403);
  });

  it('an identity header is UTF-8, whatever Node takes it for', async () => {
    const zoe = testDevice(crypto, 'zoë');
    await enrol(fixture.store, zoe);
    const given = await fixture.headersOf(zoe);
    const from = Buffer.from(zoe.id, 'utf8').toString('latin1');
    expect(head((await fixture.limeRaw(request, { ...given, from })).body)).toEqual(notRegistered);
    expect((await fixture.limeRaw(request, { ...given, from: zoe.id })).status).toBe(403);
  });

  it('X-Lime-user-identity takes precedence over From; neither is error 02', async () => {
    const both = await fixture.limeRaw(request, { ...headers, 'x-lime-user-identity': alice.id, from: bob.id });
    expect(head(both.body)).toEqual(notRegistered);
    const neither = await fixture.limeRaw(request, without('from'));
    expect([neither.status, ...head(neither.body)]).toEqual([200, 1, 0xff, 2, LIME_ERRORS.missingSenderId]);
  });

  it.each([
    'X3DH/Octet-Stream',
    'x3dh/octet-stream; charset=utf-8',
    'x3dh/octet-stream;charset=UTF-8;q="a;b"',
    'x3dh/octet-stream \t;',
  ])('content type %s is LIME’s: media types have no case, and may have parameters', async (type) => {
    const { status, body } = await fixture.limeRaw(request, { ...headers, 'content-type': type });
    expect([status, ...head(body)]).toEqual([200, ...notRegistered]);
  });

  it.each([
    'application/octet-stream',
    'x3dh/octet-streams',
    'x3dh/octet-stream, text/plain',
    'text/plain; x3dh/octet-stream',
    'x3dh',
  ])('content type %s → error 00', async (type) => {
    const { status, body } = await fixture.limeRaw(request, { ...headers, 'content-type': type });
    expect([status, ...head(body)]).toEqual([200, 1, 0xff, 2, LIME_ERRORS.badContentType]);
  });

  it.each([
    ['too short', [1, 5], 0, LIME_ERRORS.badSize],
    ['empty', [], 0, LIME_ERRORS.badSize],
    ['version before curve', [2, 5, 9], 9, LIME_ERRORS.badVersion],
    ['curve', [1, 5, 9], 9, LIME_ERRORS.badCurve],
    ['zero devices', [1, 5, 1, 0, 0], 1, LIME_ERRORS.badRequest],
  ])('%s, with the curve byte echoed', async (_, bytes, suite, error) => {
    const { status, body } = await fixture.limeRaw(Uint8Array.from(bytes), headers);
    expect([status, ...head(body)]).toEqual([200, 1, 0xff, suite, error]);
  });

  it('takes bodies of 64 KB, and answers a longer one than any honest request with 413', async () => {
    const large = await fixture.limeRaw(Buffer.concat([request, Buffer.alloc(65_533)]), headers);
    expect(head(large.body)).toEqual(notRegistered);
    const { status } = await fixture.limeRaw(new Uint8Array(1_000_000), headers);
    expect(status).toBe(413);
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
    });
    const init = { method: 'POST', headers, body: endless, duplex: 'half' } as RequestInit;
    const refused = await fetch(`${fixture.listening.url}/lime`, init).then(
      ({ status }) => status,
      () => 'closed',
    );
    expect([413, 'closed']).toContain(refused);
  });

  it('a store that is gone is a 503, not a protocol answer', async () => {
    await fixture.store.close();
    const { status, headers: answered } = await fixture.limeRaw(request, headers);
    expect([status, answered.get('retry-after')]).toEqual([503, '2']);
  });

  it('I13: no device id and no token in the log', async () => {
    await fixture.limeRaw(request, { ...headers, from: bob.id });
    await fixture.store.close();
    await fixture.limeRaw(request, headers);
    const logged = fixture.log.join('') + (await fixture.metrics.text());
    for (const secret of [alice.id, bob.id, 'alice', headers.authorization!.slice(7)])
      expect(logged).not.toContain(secret);
  });
});

describe('limits of bundle requests', () => {
  const range = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
  const others = range(4).map((i) => testDevice(crypto, `user${i}`));

  async function restart(settings: Parameters<typeof startFixture>[0]) {
    await fixture.close();
    fixture = await startFixture(settings);
    for (const device of [alice, bob, ...others]) await enrol(fixture.store, device);
    await fixture.lime(bob, bob.registration('c25519', ...range(20)));
  }
  async function devicesOfOneAccount(count: number) {
    const devices = range(count).map((i) => testDevice(crypto, 'family', `device ${i}`));
    const { address, accountKey, manifest } = devices[0]!;
    const listed = devices.map((device) => device.listed);
    const account = { address, accountKey, createdAt: fixture.clock.now };
    await fixture.store.accounts.create(account, { version: 1, ...manifest(listed) }, listed);
    return devices;
  }
  const taken = async (requester = alice) =>
    (await fixture.bundles(requester, 'c25519', bob.id))[0]!.bundle!.oneTimePrekey?.id;

  it('D12, S07: one caller gets so many one-time prekeys of a target, then bundles without; others are not affected', async () => {
    await restart({ BUNDLES_PER_PAIR: 2 });
    expect([await taken(), await taken(), await taken()]).toEqual([1, 2, undefined]);
    expect(await taken(others[0])).toBe(3);
    const metrics = await fixture.metrics.text();
    expect(metrics).toContain('sealwire_directory_claims_total{result="withheld"} 1');
    expect(metrics).toContain('sealwire_ratelimit_rejections_total{limiter="bundles-pair"} 1');
  });

  it('D12, S07: an account with ten devices gets its share of a target, and nobody else less', async () => {
    await restart({ BUNDLES_PER_PAIR: 6, BUNDLES_PER_TARGET: 60 });
    await fixture.lime(bob, {
      kind: 'postOneTimePrekeys',
      suite: 'c25519',
      oneTimePrekeys: bob.oneTime('c25519', ...range(100)),
    });
    const family = await devicesOfOneAccount(10);
    const given = new Map<string, number>();
    for (let round = 0; round < 6; round++)
      for (const device of family) if (await taken(device)) given.set(device.id, (given.get(device.id) ?? 0) + 1);
    // Each of them can begin a session, and two of them another one.
    expect([...given.values()].toSorted()).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
    expect(await taken(others[0])).toBe(13);
    expect(await fixture.metrics.text()).toContain('sealwire_ratelimit_rejections_total{limiter="bundles-share"} 48');
  });

  it('asking for a device that has no keys yet uses nothing up', async () => {
    await restart({ BUNDLES_PER_PAIR: 2, BUNDLES_PER_TARGET: 3 });
    const carol = testDevice(crypto, 'carol');
    await enrol(fixture.store, carol);
    const ofCarol = async () => (await fixture.bundles(alice, 'c25519', carol.id))[0]!.bundle?.oneTimePrekey?.id;
    for (let i = 0; i < 10; i++) expect(await ofCarol()).toBeUndefined();
    await fixture.lime(carol, carol.registration('c25519', 1, 2, 3));
    expect([await ofCarol(), await ofCarol(), await ofCarol()]).toEqual([1, 2, undefined]);
  });

  it('S07: of each suite a device has a budget of its own', async () => {
    await restart({ BUNDLES_PER_PAIR: 1, BUNDLES_PER_TARGET: 2 });
    await fixture.lime(bob, bob.registration('c448', ...range(20)));
    const takenOn = async (suite: ServedSuite) =>
      (await fixture.bundles(alice, suite, bob.id))[0]!.bundle!.oneTimePrekey?.id;
    expect([await takenOn('c25519'), await takenOn('c448')]).toEqual([1, 1]);
    expect([await takenOn('c25519'), await takenOn('c448')]).toEqual([undefined, undefined]);
  });

  it('D12: the last half of what a target gives is for accounts that had nothing of it yet', async () => {
    await restart({ BUNDLES_PER_TARGET: 6 });
    const greedy = [];
    for (let i = 0; i < 5; i++) greedy.push(await taken());
    expect(greedy).toEqual([1, 2, 3, undefined, undefined]);
    expect([await taken(others[0]), await taken(others[0])]).toEqual([4, undefined]);
    expect([await taken(others[1]), await taken(others[2]), await taken(others[3])]).toEqual([5, 6, undefined]);
    fixture.clock.now += 60 * 60_000;
    expect(await taken(others[0])).toBe(7);
  });

  it('D17: the devices of an account share what it may ask for, four times what one of them may', async () => {
    await restart({ BUNDLES_PER_REQUESTER: 2 });
    const statuses = [];
    for (const device of await devicesOfOneAccount(5)) {
      const body = encodeRequest({ kind: 'getPeerBundle', suite: 'c25519', devices: [bob.id, bob.id] });
      statuses.push((await fixture.limeRaw(body, await fixture.headersOf(device))).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 429]);
  });

  it('S07: one-time prekeys come back after the period', async () => {
    await restart({ BUNDLES_PER_PAIR: 1, BUNDLES_PER_TARGET: 3 });
    expect([await taken(), await taken()]).toEqual([1, undefined]);
    fixture.clock.now += 10 * 60_000;
    expect([await taken(), await taken(others[0]), await taken(others[1])]).toEqual([2, 3, undefined]);
    fixture.clock.now += 60 * 60_000;
    expect([await taken(), await taken(others[0]), await taken(others[1])]).toEqual([4, 5, 6]);
  });

  it('S07: the period of the pair is the operator’s, as LIME’s own test servers have 20 s', async () => {
    await restart({ BUNDLES_PER_PAIR: 2, BUNDLES_PER_PAIR_SECONDS: 20, BUNDLE_LIMITS_WITHHOLD: 'bundle' });
    const isServed = async () => (await fixture.bundles(alice, 'c25519', bob.id))[0]!.bundle !== undefined;
    expect([await isServed(), await isServed(), await isServed()]).toEqual([true, true, false]);
    fixture.clock.now += 19_999;
    expect(await isServed()).toBe(false);
    fixture.clock.now += 1;
    expect(await isServed()).toBe(true);
  });

  it('S07: the period of the target is the operator’s, and that of an account’s share of it', async () => {
    await restart({ BUNDLES_PER_TARGET: 2, BUNDLES_PER_TARGET_SECONDS: 60 });
    expect([await taken(), await taken(others[0]), await taken(others[1])]).toEqual([1, 2, undefined]);
    fixture.clock.now += 60_000;
    expect(await taken(others[1])).toBe(3);
    await restart({ BUNDLES_PER_PAIR: 1, BUNDLES_PER_PAIR_SECONDS: 1, BUNDLES_PER_TARGET_SECONDS: 60 });
    const given = [];
    for (const seconds of [2, 2, 56, 0]) {
      given.push(await taken());
      fixture.clock.now += seconds * 1000;
    }
    expect(given).toEqual([1, 2, undefined, 3]);
  });

  it('D12: by the operator’s choice the whole bundle is withheld, and comes back after the period', async () => {
    await restart({ BUNDLES_PER_PAIR: 1, BUNDLE_LIMITS_WITHHOLD: 'bundle' });
    const flags = async (...ids: string[]) =>
      (await fixture.bundles(alice, 'c25519', ...ids)).map(({ bundle }) => bundle?.oneTimePrekey?.id);
    expect(await flags(bob.id, others[0]!.id, bob.id)).toEqual([1, undefined, undefined]);
    expect((await fixture.bundles(alice, 'c25519', bob.id))[0]!.bundle).toBeUndefined();
    expect(await taken(others[0])).toBe(2);
    expect(await fixture.metrics.text()).toContain('sealwire_directory_claims_total{result="withheld"} 2');
    fixture.clock.now += 10 * 60_000;
    expect(await flags(bob.id)).toEqual([3]);
  });

  it('D11: the number of one-time prekeys is the operator’s: error 0a in a request, and for what is held', async () => {
    await restart({ PREKEYS_PER_DEVICE: 21 });
    const post = async (...ids: number[]) => {
      const oneTimePrekeys = bob.oneTime('c25519', ...ids);
      const answer = await fixture.lime(bob, { kind: 'postOneTimePrekeys', suite: 'c25519', oneTimePrekeys });
      return answer.kind === 'error' ? answer.code : answer.kind;
    };
    expect(await post(101, 102)).toBe(LIME_ERRORS.limitReached);
    expect(await post(101)).toBe('ack');
    expect(await post(102)).toBe(LIME_ERRORS.limitReached);
    expect(await post(...range(22))).toBe(LIME_ERRORS.limitReached);
    await taken();
    expect(await post(102)).toBe('ack');
  });

  it('naming the target twice in a request does not help', async () => {
    await restart({ BUNDLES_PER_PAIR: 2 });
    const peers = await fixture.bundles(alice, 'c25519', bob.id, bob.id, bob.id);
    expect(peers.map(({ bundle }) => bundle!.oneTimePrekey?.id)).toEqual([1, 2, undefined]);
  });

  it('D12: the limit of the target holds against many callers', async () => {
    await restart({ BUNDLES_PER_TARGET: 3 });
    const given = [];
    for (const requester of [alice, ...others]) given.push(await taken(requester));
    expect(given).toEqual([1, 2, 3, undefined, undefined]);
  });

  it('D17: a caller beyond its bulk budget gets 429 with Retry-After, and takes nothing', async () => {
    await restart({ BUNDLES_PER_REQUESTER: 3 });
    await fixture.bundles(alice, 'c25519', bob.id, bob.id);
    const body = encodeRequest({ kind: 'getPeerBundle', suite: 'c25519', devices: [bob.id, bob.id] });
    const { status, headers: answered } = await fixture.limeRaw(body, await fixture.headersOf(alice));
    expect(status).toBe(429);
    const told = ['retry-after', 'ratelimit-policy', 'ratelimit'].map((name) => answered.get(name));
    expect(told).toEqual(['600', '"bundles-requester";q=3;w=600', '"bundles-requester";r=1;t=600']);
    expect(await taken(others[0])).toBe(3);
  });

  it('D04: uploads are limited per device', async () => {
    await restart({ KEY_UPLOADS_PER_DEVICE: 2 });
    const body = encodeRequest({
      kind: 'postOneTimePrekeys',
      suite: 'c25519',
      oneTimePrekeys: bob.oneTime('c25519', 900),
    });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await fixture.limeRaw(body, await fixture.headersOf(bob))).status);
    expect(statuses).toEqual([200, 429, 429]);
  });
});
