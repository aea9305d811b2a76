import { afterEach, describe, expect, it } from '@jest/globals';
import { parseDeviceId } from '@sealwire/wire/ids';
import {
  decodeAnswer,
  encodeRequest,
  LIME_CONTENT_TYPE,
  LIME_ERRORS,
  type LimeRequest,
} from '@sealwire/wire/lime-server';
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
    expect(await says(alice, request, { from: 'sip:alice@example.org' })).toBe(403);
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

  it('an identity header that is no UTF-8 names no device', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    const from = `${alice.address.replace('alice', 'al\xffice')};gr=urn:uuid:1`;
    expect(await says(alice, alice.registration('c25519'), { from })).toBe(403);
  });
});
