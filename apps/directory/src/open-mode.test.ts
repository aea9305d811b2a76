import { afterEach, describe, expect, it } from '@jest/globals';
import { parseDeviceId } from '@sealwire/wire/ids';
import {
  decodeAnswer,
  encodeRequest,
  LIME_CONTENT_TYPE,
  LIME_ERRORS,
  type LimeRequest,
} from '@sealwire/wire/lime-server';
import { LIMITS } from '@sealwire/wire/limits';
import { enrol, type TestDevice, testDevice } from './testing/device.ts';
import { crypto, type Fixture, startFixture } from './testing/fixture.ts';

const alice = testDevice(crypto, 'alice');
const bob = testDevice(crypto, 'bob');
const STATION = { host: '192.0.2.1', port: 8082 };

let fixture: Fixture | undefined;
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

/** A request of `device` that proves nothing. */
async function says(device: TestDevice, request: LimeRequest, headers: Record<string, string> = {}) {
  const given = { 'content-type': LIME_CONTENT_TYPE, from: device.id, ...headers };
  const { status, body } = await fixture!.limeRaw(encodeRequest(request), given);
  return status === 200 ? decodeAnswer(body, request.suite) : status;
}

describe('open mode', () => {
  it('is off unless switched on', async () => {
    fixture = await startFixture();
    expect(await says(alice, alice.registration('c25519'))).toBe(401);
    expect(fixture.log.join('')).not.toContain('open-mode');
    const version = await fixture.json('GET', '/version');
    expect(version.json).toEqual({ server: 'directory', version: '0.1.0' });
  });

  it('takes everybody for the device that they say they are: they register and fetch without an account', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    expect(await says(alice, alice.registration('c25519', 1))).toMatchObject({ kind: 'ack' });
    expect(await says(alice, alice.registration('c448'))).toMatchObject({ kind: 'ack' });
    const answer = await says(bob, { kind: 'getPeerBundle', suite: 'c25519', devices: [alice.id] });
    expect(answer).toMatchObject({
      kind: 'peerBundle',
      peers: [{ device: alice.id, bundle: { identityKey: alice.identityKey('c25519'), oneTimePrekey: { id: 1 } } }],
    });
  });

  it('does not let a stranger in under a device of a manifest with another identity key', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    await enrol(fixture.store, alice);
    const imposter = { ...bob.registration('c25519'), suite: 'c25519' as const };
    const answer = await says(alice, imposter);
    expect(answer).toMatchObject({ kind: 'error' });
    expect(await says(alice, alice.registration('c25519'))).toMatchObject({ kind: 'ack' });
  });

  it('wants a device id all the same, and good credentials from who shows any', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    const request: LimeRequest = { kind: 'getSelfOneTimePrekeys', suite: 'c25519' };
    expect(await says(alice, request, { from: '' })).toMatchObject({ code: LIME_ERRORS.missingSenderId });
    for (const authorization of ['Bearer x.y.z', 'Basic YTpi', 'Digest username="alice"'])
      expect([200, 403]).not.toContain(await says(alice, request, { authorization }));
    await enrol(fixture.store, bob);
    const { authorization } = await fixture.headersOf(bob);
    expect(await says(alice, request, { authorization: authorization! })).toBe(403);
  });

  it('is loud: in the log at start and again and again, and at /version', async () => {
    const repeated: { ms: number; run: () => void; stopped: boolean }[] = [];
    const repeat = (ms: number, run: () => void) => {
      const entry = { ms, run, stopped: false };
      repeated.push(entry);
      return () => {
        entry.stopped = true;
      };
    };
    fixture = await startFixture({ OPEN_MODE: 'on' }, { repeat });
    const warnings = () => fixture!.log.map((line) => JSON.parse(line)).filter(({ event }) => event === 'open-mode');
    expect(warnings()).toEqual([expect.objectContaining({ level: 'warn', setting: 'OPEN_MODE' })]);
    expect(warnings()[0].reason).toContain('NO AUTHENTICATION');
    const [every] = repeated;
    expect(every!.ms).toBeLessThanOrEqual(10 * 60_000);
    every!.run();
    expect(warnings()).toHaveLength(2);
    expect((await fixture.json('GET', '/version')).json).toMatchObject({ openMode: true });
    await fixture.close();
    expect(every!.stopped).toBe(true);
    fixture = undefined;
  });

  it.each(['192.0.2.1', '0.0.0.0', '::', 'chat.example.org', '127.0.0.1.example.org'])(
    'K14: refuses to listen on %s, in one line with the fix',
    async (host) => {
      const LISTEN = { host, port: 8082 };
      await expect(startFixture({ OPEN_MODE: 'on', LISTEN })).rejects.toThrow(
        /^OPEN_MODE: is on, and .* is more than this machine itself — .*OPEN_MODE_ANYWHERE=on/,
      );
    },
  );

  it.each([
    ['127.0.0.1', 'off'],
    ['127.8.9.1', 'off'],
    ['localhost', 'off'],
    ['::1', 'off'],
    ['192.0.2.1', 'on'],
  ] as const)('takes %s with OPEN_MODE_ANYWHERE=%s', async (host, OPEN_MODE_ANYWHERE) => {
    fixture = await startFixture({ OPEN_MODE: 'on', OPEN_MODE_ANYWHERE, LISTEN: { host, port: 8082 } });
  });

  it('OPEN_MODE_ANYWHERE alone opens nothing', async () => {
    fixture = await startFixture({ OPEN_MODE_ANYWHERE: 'on', LISTEN: STATION });
    expect(await says(alice, alice.registration('c25519'))).toBe(401);
  });

  it.each([
    ['decomposed', 're\u0301ne', undefined],
    ['a reversed reading order', 'al\u202eice', undefined],
    ['a space without width', 'al\u200bice', undefined],
    ['a reversed reading order in gr', 'alice', 'urn:uuid:1\u202e'],
  ])('a new device id with %s is not taken: another id would look the same', async (_, user, gr) => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    const device = testDevice(crypto, user);
    const id = gr ? parseDeviceId(`${device.address};gr=${gr}`) : device.id;
    const from = Buffer.from(id).toString('latin1');
    expect(await says(device, device.registration('c25519'), { from })).toMatchObject({ code: LIME_ERRORS.badRequest });
    expect(await fixture.store.waiting.find(id)).toBeUndefined();
  });

  it('one that is in its form is taken, whatever its script', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    const device = testDevice(crypto, 'жанна');
    const from = Buffer.from(device.id).toString('latin1');
    expect(await says(device, device.registration('c25519'), { from })).toMatchObject({ kind: 'ack' });
  });

  it('a device that is there already keeps its id, its keys and the way to renew them', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    const device = testDevice(crypto, 're\u0301ne');
    const from = Buffer.from(device.id).toString('latin1');
    const { identityKey, signedPrekey } = device.registration('c25519');
    const terms = { maximum: 10, now: fixture.clock.now, withoutAccount: true };
    await fixture.store.waiting.register(device.id, 'c25519', { identityKey, signedPrekey }, [], terms);
    expect(await says(device, device.registration('c25519'), { from })).toMatchObject({ kind: 'ack' });
    expect(await says(device, device.registration('c448'), { from })).toMatchObject({ kind: 'ack' });
    const answer = await says(alice, { kind: 'getPeerBundle', suite: 'c25519', devices: [device.id] });
    expect(answer).toMatchObject({ kind: 'peerBundle', peers: [{ bundle: { identityKey } }] });
  });

  const ODD = [
    'alice.d1.Ab3kQ9',
    'x',
    'sip:alice@example.org',
    'sip:alice@domainA;gr=Ab3kQ9',
    'sip:alice@example.org;gr=a;b=c',
    'mailto:alice@example.org',
    'a "quoted", id; with=everything <and more> 50% / \\ ?',
    'b'.repeat(LIMITS.deviceIdBytes.value),
    'r\u00e9ne.d1',
    'жанна',
    '../../etc/passwd',
  ];

  it.each(ODD)('any device id registers and is served: LIME knows no form of them: %s', async (id) => {
    fixture = await startFixture({ OPEN_MODE: 'on', BUNDLES_PER_PAIR: 1 });
    const from = Buffer.from(id).toString('latin1');
    const twin = testDevice(crypto, 'twin');
    const neighbours = [`${id}x`, id.slice(1), id.toUpperCase(), id.toLowerCase()].filter((other) => other !== id);
    expect(await says(alice, alice.registration('c25519', 1, 2), { from })).toMatchObject({ kind: 'ack' });
    expect(await says(twin, twin.registration('c25519'), { from })).toMatchObject({ code: LIME_ERRORS.userAlreadyIn });
    const devices = [...neighbours, id].filter((other) => Buffer.byteLength(other) < 0xffff);
    const answer = await says(bob, { kind: 'getPeerBundle', suite: 'c25519', devices }, { from: 'bob.d1' });
    const peers = devices.map((device) =>
      device === id ? { device, bundle: expect.objectContaining({}) } : { device },
    );
    expect(answer).toEqual({ kind: 'peerBundle', suite: 'c25519', peers });
    const held = await says(alice, { kind: 'getSelfOneTimePrekeys', suite: 'c25519' }, { from });
    expect(held).toMatchObject({ ids: [2] });
    expect(await says(alice, { kind: 'deleteUser', suite: 'c25519' }, { from })).toMatchObject({ kind: 'ack' });
    expect(await says(twin, twin.registration('c25519'), { from })).toMatchObject({ kind: 'ack' });
  });

  it('an odd id touches no account, whatever it looks like', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on', DEVICES_PER_ACCOUNT: 1 });
    await enrol(fixture.store, alice);
    for (const [i, from] of [
      alice.address,
      `${alice.id};x=1`,
      `${alice.address};gr=`,
      `${alice.address};gr=urn uuid`,
    ].entries()) {
      const device = testDevice(crypto, `odd${i}`);
      expect(await says(device, device.registration('c25519'), { from })).toMatchObject({ kind: 'ack' });
    }
    expect(await fixture.store.waiting.list(alice.address)).toEqual([]);
  });

  it.each([
    ['a reversed reading order', 'al\u202eice'],
    ['a space without width', 'al\u200bice'],
    ['a decomposed letter', 're\u0301ne'],
    ['a character that nobody sees', 'al\u0007ice'],
    ['more bytes than an id has', 'b'.repeat(LIMITS.deviceIdBytes.value + 1)],
  ])('an odd id with %s is none: it registers nothing and has no bundle', async (_, id) => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    // A header with a control character does not reach anybody.
    if (!/\p{Cc}/u.test(id)) {
      const from = Buffer.from(id).toString('latin1');
      expect(await says(alice, alice.registration('c25519'), { from })).toBe(403);
    }
    const answer = await says(bob, { kind: 'getPeerBundle', suite: 'c25519', devices: [id] });
    expect(answer).toMatchObject({ peers: [{ device: id }] });
  });

  it('without open mode an odd id names no device, to nobody', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    await says(alice, alice.registration('c25519'), { from: 'alice.d1' });
    const { store } = fixture;
    const closed = await startFixture({}, { store });
    await enrol(store, bob);
    const headers = await closed.headersOf(bob);
    const request = encodeRequest({ kind: 'getPeerBundle', suite: 'c25519', devices: ['alice.d1'] });
    const answer = decodeAnswer((await closed.limeRaw(request, headers)).body, 'c25519');
    expect(answer).toMatchObject({ peers: [{ device: 'alice.d1' }] });
    expect((await closed.limeRaw(request, { ...headers, from: 'alice.d1' })).status).toBe(403);
    await closed.listening.close();
  });

  it('an identity header that is no UTF-8 names no device', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    const from = `${alice.address.replace('alice', 'al\xffice')};gr=urn:uuid:1`;
    expect(await says(alice, alice.registration('c25519'), { from })).toBe(403);
  });
});
