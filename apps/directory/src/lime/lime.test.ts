import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CurveName } from '@sealwire/crypto/port';
import {
  encodeRequest,
  keyFormOf,
  LIME_ERRORS,
  type LimeAnswer,
  type LimeRequest,
  type ServedSuite,
  SUITE_NAMES,
} from '@sealwire/wire/lime-server';
import { LIMITS } from '@sealwire/wire/limits';
import { enrol, testDevice } from '../testing/device.ts';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';

const alice = testDevice(crypto, 'alice');
const bob = testDevice(crypto, 'bob');
const carol = testDevice(crypto, 'carol');

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
  for (const device of [alice, bob, carol]) await enrol(fixture.store, device);
});
afterEach(() => fixture.close());

const ack = (suite: ServedSuite, request: string) => ({ kind: 'ack', suite, request });
const code = (answer: LimeAnswer) => (answer.kind === 'error' ? answer.code : answer.kind);
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

describe.each(SUITE_NAMES)('registration on %s', (suite) => {
  it('stores keys, and bundles come back with one one-time prekey each, oldest first, then without', async () => {
    expect(await fixture.lime(bob, bob.registration(suite, 5, 3))).toEqual(ack(suite, 'registerUser'));
    const ids = [];
    for (let i = 0; i < 3; i++) {
      const [peer] = await fixture.bundles(alice, suite, bob.id);
      expect(Buffer.from(peer!.bundle!.identityKey)).toEqual(Buffer.from(bob.identityKey(suite)));
      expect(peer!.bundle!.signedPrekey.id).toBe(1001);
      ids.push(peer!.bundle!.oneTimePrekey?.id);
    }
    expect(ids).toEqual([5, 3, undefined]);
    const metrics = await fixture.metrics.text();
    expect(metrics).toContain('sealwire_directory_claims_total{result="one-time"} 2');
    expect(metrics).toContain('sealwire_directory_claims_total{result="without"} 1');
    expect(metrics).toContain('sealwire_prekeys_low_total 1');
  });

  it('with zero one-time prekeys works', async () => {
    expect(await fixture.lime(bob, bob.registration(suite))).toEqual(ack(suite, 'registerUser'));
    expect((await fixture.bundles(alice, suite, bob.id))[0]!.bundle).toBeDefined();
  });

  it('D03: the same again is acknowledged and changes nothing; other keys are refused', async () => {
    await fixture.lime(bob, bob.registration(suite, 1));
    expect(await fixture.lime(bob, bob.registration(suite, 1, 2))).toEqual(ack(suite, 'registerUser'));
    const self = await fixture.lime(bob, { kind: 'getSelfOneTimePrekeys', suite });
    expect(self).toMatchObject({ ids: [1] });
    const other = { ...bob.registration(suite), signedPrekey: bob.signedPrekey(suite, 2) };
    expect(code(await fixture.lime(bob, other))).toBe(LIME_ERRORS.userAlreadyIn);
  });

  it('D07: a signed prekey with a bad signature is refused, and nothing is stored', async () => {
    const good = bob.registration(suite, 1);
    const signature = good.signedPrekey.signature.slice();
    signature[7]! ^= 1;
    const cases = [
      { ...good, signedPrekey: { ...good.signedPrekey, signature } },
      { ...good, signedPrekey: { ...good.signedPrekey, publicKey: carol.signedPrekey(suite).publicKey } },
      { ...good, signedPrekey: carol.signedPrekey(suite) },
    ];
    for (const request of cases) expect(code(await fixture.lime(bob, request))).toBe(LIME_ERRORS.badRequest);
    expect((await fixture.bundles(alice, suite, bob.id))[0]!.bundle).toBeUndefined();
    await fixture.lime(bob, good);
    const rotation: LimeRequest = {
      kind: 'postSignedPrekey',
      suite,
      signedPrekey: { ...bob.signedPrekey(suite, 2), signature },
    };
    expect(code(await fixture.lime(bob, rotation))).toBe(LIME_ERRORS.badRequest);
    expect((await fixture.bundles(alice, suite, bob.id))[0]!.bundle!.signedPrekey.id).toBe(1001);
  });

  it('D10, S10: an identity key that the manifest does not name is refused', async () => {
    const mallory = testDevice(crypto, 'mallory');
    expect(code(await fixture.lime(bob, mallory.registration(suite)))).toBe(LIME_ERRORS.badRequest);
    const laptop = testDevice(crypto, 'bob', 'laptop');
    expect(code(await fixture.lime(bob, laptop.registration(suite)))).toBe(LIME_ERRORS.badRequest);
    expect((await fixture.bundles(alice, suite, bob.id))[0]!.bundle).toBeUndefined();
  });

  it('D08: low-order, non-canonical and all-zero keys are refused, and nothing is stored', async () => {
    for (const bad of badKeys(suite)) {
      const signature = keyFormOf(crypto, suite).signatures.sign(bob.identitySeed(suite), bad);
      const good = bob.registration(suite);
      const asSigned = { ...good, signedPrekey: { id: 1, publicKey: bad, signature } };
      const asOneTime = { ...good, oneTimePrekeys: [...bob.oneTime(suite, 1), { id: 2, publicKey: bad }] };
      for (const request of [asSigned, asOneTime])
        expect(code(await fixture.lime(bob, request))).toBe(LIME_ERRORS.badRequest);
    }
    expect((await fixture.bundles(alice, suite, bob.id))[0]!.bundle).toBeUndefined();
    await fixture.lime(bob, bob.registration(suite));
    for (const publicKey of badKeys(suite)) {
      const upload: LimeRequest = { kind: 'postOneTimePrekeys', suite, oneTimePrekeys: [{ id: 9, publicKey }] };
      expect(code(await fixture.lime(bob, upload))).toBe(LIME_ERRORS.badRequest);
    }
    expect(await fixture.lime(bob, { kind: 'getSelfOneTimePrekeys', suite })).toMatchObject({ ids: [] });
  });

  it('D11: 200 one-time prekeys are taken, 201 are not; ids from 1 to 2^31 - 1, each once', async () => {
    expect(code(await fixture.lime(bob, bob.registration(suite, ...range(1, 201))))).toBe(LIME_ERRORS.limitReached);
    expect(code(await fixture.lime(bob, bob.registration(suite, 0)))).toBe(LIME_ERRORS.badRequest);
    expect(code(await fixture.lime(bob, bob.registration(suite, 2 ** 31)))).toBe(LIME_ERRORS.badRequest);
    expect(code(await fixture.lime(bob, bob.registration(suite, 7, 7)))).toBe(LIME_ERRORS.badRequest);
    expect(await fixture.lime(bob, bob.registration(suite, 2 ** 31 - 1, ...range(1, 199)))).toEqual(
      ack(suite, 'registerUser'),
    );
    const one: LimeRequest = { kind: 'postOneTimePrekeys', suite, oneTimePrekeys: bob.oneTime(suite, 5000) };
    expect(code(await fixture.lime(bob, one))).toBe(LIME_ERRORS.limitReached);
    await fixture.bundles(alice, suite, bob.id);
    expect(await fixture.lime(bob, one)).toEqual(ack(suite, 'postOneTimePrekeys'));
  });

  it('D04: the same key id with other bytes is refused, and a repeated upload adds nothing', async () => {
    await fixture.lime(bob, bob.registration(suite, 1));
    const upload = (oneTimePrekeys: ReturnType<typeof bob.oneTime>): LimeRequest => ({
      kind: 'postOneTimePrekeys',
      suite,
      oneTimePrekeys,
    });
    expect(await fixture.lime(bob, upload(bob.oneTime(suite, 2, 3)))).toEqual(ack(suite, 'postOneTimePrekeys'));
    expect(await fixture.lime(bob, upload(bob.oneTime(suite, 2, 3)))).toEqual(ack(suite, 'postOneTimePrekeys'));
    const other = [...bob.oneTime(suite, 4), { ...bob.oneTime(suite, 9)[0]!, id: 2 }];
    expect(code(await fixture.lime(bob, upload(other)))).toBe(LIME_ERRORS.badRequest);
    expect(await fixture.lime(bob, { kind: 'getSelfOneTimePrekeys', suite })).toMatchObject({ ids: [1, 2, 3] });
  });

  it('a new signed prekey replaces the old one', async () => {
    await fixture.lime(bob, bob.registration(suite));
    const signedPrekey = bob.signedPrekey(suite, 2);
    expect(await fixture.lime(bob, { kind: 'postSignedPrekey', suite, signedPrekey })).toEqual(
      ack(suite, 'postSignedPrekey'),
    );
    expect((await fixture.bundles(alice, suite, bob.id))[0]!.bundle!.signedPrekey.id).toBe(1002);
  });

  it('who is not registered is told so, which is how clients heal', async () => {
    const requests: LimeRequest[] = [
      { kind: 'getSelfOneTimePrekeys', suite },
      { kind: 'postSignedPrekey', suite, signedPrekey: bob.signedPrekey(suite) },
      { kind: 'postOneTimePrekeys', suite, oneTimePrekeys: bob.oneTime(suite, 1) },
    ];
    for (const request of requests) expect(code(await fixture.lime(bob, request))).toBe(LIME_ERRORS.userNotFound);
    const deletion: LimeRequest = { kind: 'deleteUser', suite };
    expect(await fixture.lime(bob, deletion)).toEqual(ack(suite, 'deleteUser'));
    await fixture.lime(bob, bob.registration(suite));
    await fixture.lime(bob, deletion);
    expect((await fixture.bundles(alice, suite, bob.id))[0]!.bundle).toBeUndefined();
  });

  it('each suite of a device has its own name space', async () => {
    await fixture.lime(bob, bob.registration(suite, 1));
    const other = suite === 'c448' ? 'c25519' : 'c448';
    expect((await fixture.bundles(alice, other, bob.id))[0]!.bundle).toBeUndefined();
  });

  it('one entry a requested id, in order, repeats included, unknown and malformed ids too', async () => {
    await fixture.lime(bob, bob.registration(suite, 1, 2));
    await fixture.lime(carol, carol.registration(suite));
    const asked = [carol.id, 'sip:ghost@example.org;gr=x', bob.id, 'not a device id', bob.id, 'Ünïcode', bob.id, ''];
    const peers = await fixture.bundles(alice, suite, ...asked);
    expect(peers.map(({ device }) => device)).toEqual(asked);
    expect(peers.map(({ bundle }) => (bundle ? (bundle.oneTimePrekey?.id ?? 'without') : 'none'))).toEqual([
      'without',
      'none',
      1,
      'none',
      2,
      'none',
      'without',
      'none',
    ]);
  });

  it('D02, D12: no one-time prekey is handed out twice, also when many ask at once', async () => {
    await fixture.lime(bob, bob.registration(suite, ...range(1, 20)));
    const answers = await Promise.all(
      range(0, 10).map((i) => fixture.bundles(i % 2 ? alice : carol, suite, bob.id, bob.id, bob.id)),
    );
    const ids = answers.flat().map(({ bundle }) => bundle!.oneTimePrekey?.id);
    const given = ids.filter((id) => id !== undefined);
    expect(new Set(given).size).toBe(20);
    expect(given).toHaveLength(20);
  });

  it('D21: a removed device has no bundle, and is out itself', async () => {
    await fixture.lime(bob, bob.registration(suite, 1));
    const headers = await fixture.headersOf(bob);
    await fixture.store.devices.remove(bob.id, fixture.clock.now);
    expect((await fixture.bundles(alice, suite, bob.id))[0]!.bundle).toBeUndefined();
    const { status } = await fixture.limeRaw(encodeRequest(bob.registration(suite)), headers);
    expect(status).toBe(401);
  });
});

/** All-zero, one, p - 1, p, p + 1, all ones; for X25519 the points of order eight and a set top bit too; for a KEM, coefficients beyond q. */
function badKeys(suite: ServedSuite): Uint8Array[] {
  const good = bob.oneTime(suite, 1)[0]!.publicKey;
  const { curve, dh, kem } = keyFormOf(crypto, suite);
  const withKem = badCurveKeys(curve).map((key) => Uint8Array.from([...key, ...good.subarray(dh.keyLength)]));
  return kem ? [...withKem, good.map((byte, i) => (i < dh.keyLength ? byte : 0xff))] : withKem;
}

function badCurveKeys(suite: CurveName): Uint8Array[] {
  const [p, length] = suite === 'c25519' ? [2n ** 255n - 19n, 32] : [2n ** 448n - 2n ** 224n - 1n, 56];
  const key = (u: bigint) => Uint8Array.from(Buffer.from(u.toString(16).padStart(length * 2, '0'), 'hex').reverse());
  const keys = [0n, 1n, p - 1n, p, p + 1n].map(key);
  keys.push(new Uint8Array(length).fill(0xff));
  if (suite === 'c448') return keys;
  const orderEight = [
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  ].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
  const topBit = bob.oneTime('c25519', 1)[0]!.publicKey.slice();
  topBit[31]! |= 0x80;
  return [...keys, ...orderEight, topBit];
}

describe('hostile requests', () => {
  it('too many devices in one request', async () => {
    const devices = range(0, LIMITS.bundlesPerRequest.value + 1).map((i) => `sip:u${i}@example.org;gr=x`);
    expect(code(await fixture.lime(alice, { kind: 'getPeerBundle', suite: 'c25519', devices }))).toBe(
      LIME_ERRORS.limitReached,
    );
    const allowed = devices.slice(1);
    expect(await fixture.bundles(alice, 'c25519', ...allowed)).toHaveLength(allowed.length);
  });

  it('S81: no bytes make it answer with anything but an error message in a 200', async () => {
    const headers = await fixture.headersOf(alice);
    const whole = encodeRequest(alice.registration('c25519', 1, 2));
    for (let length = 0; length < whole.length; length += 7) {
      const { status, body } = await fixture.limeRaw(whole.subarray(0, length), headers);
      expect([status, body[0], body[1], body[3]]).toEqual([200, 1, 0xff, LIME_ERRORS.badSize]);
    }
    for (const type of [0x00, 0x01, 0x06, 0x08, 0x0a, 0xff]) {
      const { status, body } = await fixture.limeRaw(
        Buffer.concat([Uint8Array.of(1, type, 2), Buffer.alloc(300)]),
        headers,
      );
      expect([status, ...body.subarray(0, 4)]).toEqual([200, 1, 0xff, 2, LIME_ERRORS.badRequest]);
    }
  });
});
