import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { twinOf } from '@sealwire/crypto/testing/twin';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { parseAccountAddress, parseDeviceId } from './ids.ts';
import { keyFormOf, LIME_SUITES, type ServedSuite } from './lime-server.ts';
import { LIMITS } from './limits.ts';
import {
  decodeManifest,
  encodeManifest,
  type Manifest,
  type ManifestDevice,
  manifestHash,
  manifestSigningInput,
  noPreviousManifest,
  verifyManifest,
  verifySuccessor,
} from './manifest.ts';
import { WireError } from './wire-error.ts';

fc.configureGlobal({ seed: 0x5ea1 });

const crypto = nobleCrypto();
const schema = protobuf.parse(readFileSync(new URL('../proto/manifest.proto', import.meta.url), 'utf8')).root;
const theirs = schema.lookupType('sealwire.v1.Manifest');

const address = parseAccountAddress('sip:alice@example.org');
const seed = (n: number, length = 32) => new Uint8Array(length).fill(n);
const accountSeed = seed(1);
const accountKey = crypto.ed25519.publicKey(accountSeed);

/** Device number n, with keys of its own; by default on both curves. */
function device(n: number, curves: readonly ServedSuite[] = ['c25519', 'c448']): ManifestDevice {
  const identityKey = (suite: ServedSuite) => {
    const { signatures } = keyFormOf(crypto, suite);
    return signatures.publicKey(seed(100 + n + 10 * LIME_SUITES[suite].id, signatures.seedLength));
  };
  return {
    id: parseDeviceId(`${address};gr=urn:uuid:${n}`),
    identities: curves.map((suite) => ({ suite, identityKey: identityKey(suite) })),
    loginKey: crypto.ed25519.publicKey(seed(50 + n)),
    addedAt: 1_700_000_000_000 + n,
  };
}

/** A LIME client that the owner admitted: it has no login key. */
const ADMITTED: ManifestDevice = { ...device(4, ['c25519']), loginKey: new Uint8Array(0) };
/** On every suite that a key server keeps keys of, the hybrid ones first. */
const HYBRID = device(5, ['c448mlk1024', 'c25519mlk512', 'c25519k512', 'c25519', 'c448']);
const DEVICES = [device(1), device(2, ['c448']), device(3, ['c448', 'c25519']), ADMITTED, HYBRID] as const;

const first: Manifest = {
  address,
  version: 1,
  previous: noPreviousManifest(),
  issuedAt: 1_700_000_000_000,
  devices: [DEVICES[0]],
};
const sign = (bytes: Uint8Array) => crypto.ed25519.sign(accountSeed, manifestSigningInput(bytes));
const refusal = (message?: string) =>
  expect.objectContaining({ name: 'WireError', code: 'invalid-manifest', ...(message && { message }) });

const manifests = fc.record({
  address: fc.constant(address),
  version: fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER }),
  previous: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  issuedAt: fc.maxSafeNat(),
  devices: fc.subarray([...DEVICES]),
});

describe('encoding', () => {
  it('decode(encode(x)) is x, with byte fields that are views', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const bytes = encodeManifest(manifest);
        const read = decodeManifest(bytes);
        expect(read).toEqual(manifest);
        expect(read.previous.buffer).toBe(bytes.buffer);
      }),
    );
  });

  it('is what protobufjs writes for the published schema', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const devices = manifest.devices.map((each) => ({
          ...each,
          identities: each.identities.map(({ suite, identityKey }) => ({
            curve: LIME_SUITES[suite].id,
            identityKey,
          })),
        }));
        const written = theirs.encode(theirs.fromObject({ ...manifest, devices })).finish();
        expect(encodeManifest(manifest)).toEqual(Uint8Array.from(written));
      }),
    );
  });

  it('S81: arbitrary bytes and mutated manifests → a manifest that encodes to these bytes, or one typed error', () => {
    const edit = fc.record({ at: fc.nat(), bit: fc.nat(7), how: fc.constantFrom('flip', 'cut', 'insert', 'repeat') });
    let survivors = 0;
    fc.assert(
      fc.property(manifests, edit, fc.uint8Array({ maxLength: 200 }), (manifest, { at, bit, how }, noise) => {
        let mutant = [...encodeManifest(manifest)];
        const place = at % mutant.length;
        if (how === 'flip') mutant[place] = mutant[place]! ^ (1 << bit);
        else if (how === 'cut') mutant = mutant.slice(0, place);
        else if (how === 'insert') mutant.splice(place, 0, bit);
        else mutant.push(...mutant.slice(place));
        for (const input of [Uint8Array.from(mutant), noise]) {
          try {
            expect(encodeManifest(decodeManifest(input))).toEqual(input);
            survivors++;
          } catch (error) {
            if (!(error instanceof WireError)) throw error;
            expect(error.code).toBe('invalid-manifest');
          }
        }
      }),
      { numRuns: 1000 },
    );
    expect(survivors).toBeGreaterThan(50);
  });

  it('refuses every other encoding of the same manifest', () => {
    const bytes = encodeManifest(first);
    const appended = (...more: number[]) => Uint8Array.from([...bytes, ...more]);
    expect(() => decodeManifest(appended(0x7a, 0))).toThrow(refusal('an unknown field'));
    expect(() => decodeManifest(appended(0x10, 1))).toThrow(refusal('not the canonical encoding'));
    const overlong = [...bytes];
    overlong.splice(address.length + 3, 1, 0x81, 0x00);
    expect(bytes[address.length + 3]).toBe(1); // the version
    expect(() => decodeManifest(Uint8Array.from(overlong))).toThrow(refusal('not the canonical encoding'));
  });
});

describe('form', () => {
  const wrong: [string, Partial<Manifest>][] = [
    ['versions begin with 1', { version: 0 }],
    ['the hash of the version before has 32 bytes', { previous: new Uint8Array(31) }],
    ['version 1 follows nothing', { previous: seed(1) }],
    ['a device is named twice', { devices: [DEVICES[0], DEVICES[0]] }],
    [
      'a device of another account',
      { devices: [{ ...DEVICES[0], id: parseDeviceId('sip:bob@example.org;gr=urn:uuid:1') }] },
    ],
    [
      'a device of another account',
      { devices: [{ ...DEVICES[0], id: parseDeviceId('sip:alice@example.com;gr=urn:uuid:1') }] },
    ],
    ['a login key has 32 bytes, or none', { devices: [{ ...DEVICES[0], loginKey: new Uint8Array(31) }] }],
    ['a device without an identity', { devices: [{ ...DEVICES[0], identities: [] }] }],
    [
      'two identities of a device on one suite',
      { devices: [{ ...DEVICES[0], identities: [DEVICES[0].identities[0]!, device(9).identities[0]!] }] },
    ],
    [
      'an identity key on c25519 has 32 bytes',
      {
        devices: [
          { ...DEVICES[0], identities: [{ suite: 'c25519', identityKey: DEVICES[0].identities[1]!.identityKey }] },
        ],
      },
    ],
    [
      'an identity key on c448 has 57 bytes',
      {
        devices: [
          { ...DEVICES[0], identities: [{ suite: 'c448', identityKey: DEVICES[0].identities[0]!.identityKey }] },
        ],
      },
    ],
  ];
  it.each(wrong)('%s', (message, change) => {
    expect(() => encodeManifest({ ...first, ...change })).toThrow(refusal(message));
  });

  it('an account may have no device: it lost the last one, and the account key can still name another', () => {
    expect(decodeManifest(encodeManifest({ ...first, devices: [] })).devices).toEqual([]);
  });

  it('devicesPerAccount, on both sides of the limit', () => {
    const { value } = LIMITS.devicesPerAccount;
    const of = (count: number) => ({ ...first, devices: Array.from({ length: count }, (_, n) => device(n)) });
    expect(encodeManifest(of(value)).length).toBeLessThan(LIMITS.manifestBytes.value);
    expect(() => encodeManifest(of(value + 1))).toThrow(refusal(`more than ${value} devices`));
  });

  it('manifestBytes: more is refused before anything is looked at', () => {
    const large = new Uint8Array(LIMITS.manifestBytes.value + 1);
    expect(() => decodeManifest(large)).toThrow(refusal('larger than 16384 bytes'));
    expect(() => verifyManifest(crypto, accountKey, large, sign(large))).toThrow(refusal('larger than 16384 bytes'));
    expect(() => decodeManifest(large.subarray(1))).toThrow(refusal('impossible field number'));
  });
});

describe('verifyManifest', () => {
  const verify = (manifest: Manifest, key = accountKey) => {
    const bytes = encodeManifest(manifest);
    return verifyManifest(crypto, key, bytes, sign(bytes));
  };

  it('answers what the account key signed', () => {
    expect(verify({ ...first, devices: [...DEVICES] })).toEqual({ ...first, devices: [...DEVICES] });
  });

  it('S33: a signature counts only over the prefix, a zero byte and the bytes', () => {
    const bytes = encodeManifest(first);
    expect(manifestSigningInput(bytes)).toEqual(
      Uint8Array.from([...new TextEncoder().encode('sealwire/manifest/v1'), 0, ...bytes]),
    );
    const raw = crypto.ed25519.sign(accountSeed, bytes);
    expect(() => verifyManifest(crypto, accountKey, bytes, raw)).toThrow(refusal('the signature is wrong'));
  });

  it('refuses a changed byte, a signature of another key, and one of another length', () => {
    const bytes = encodeManifest(first);
    const signature = sign(bytes);
    const changed = Uint8Array.from(bytes);
    changed[bytes.length - 1]! ^= 1;
    expect(() => verifyManifest(crypto, accountKey, changed, signature)).toThrow(refusal('the signature is wrong'));
    expect(() => verifyManifest(crypto, DEVICES[0].loginKey, bytes, signature)).toThrow(
      refusal('the signature is wrong'),
    );
    expect(() => verifyManifest(crypto, accountKey, bytes, signature.subarray(1))).toThrow(
      refusal('the signature is wrong'),
    );
  });

  it('D08 S31: keys that are no points, or of small order', () => {
    const identityPoint = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
    expect(() => verify(first, identityPoint)).toThrow(refusal('the account key is not a good one'));
    const device = DEVICES[0];
    expect(() => verify({ ...first, devices: [{ ...device, loginKey: identityPoint }] })).toThrow(
      refusal('a login key is not a good one'),
    );
    for (const identity of [
      { suite: 'c25519' as const, identityKey: identityPoint },
      { suite: 'c25519' as const, identityKey: seed(0xff) },
      { suite: 'c448' as const, identityKey: new Uint8Array(57).fill(0xff) },
    ])
      expect(() => verify({ ...first, devices: [{ ...device, identities: [identity] }] })).toThrow(
        refusal('an identity key is not a good one'),
      );
  });

  it('S31: an account key, a login key, an identity key with a part of small order', () => {
    const twin = twinOf(accountSeed);
    const bytes = encodeManifest(first);
    const signature = twin.sign(manifestSigningInput(bytes));
    expect(crypto.ed25519.verify(twin.publicKey, manifestSigningInput(bytes), signature)).toBe(true);
    expect(() => verifyManifest(crypto, twin.publicKey, bytes, signature)).toThrow(
      refusal('the account key is not a good one'),
    );
    const device = DEVICES[0];
    const loginKey = twinOf(seed(51)).publicKey;
    expect(() => verify({ ...first, devices: [{ ...device, loginKey }] })).toThrow(
      refusal('a login key is not a good one'),
    );
    const identities = [{ suite: 'c25519' as const, identityKey: twinOf(seed(52)).publicKey }];
    expect(() => verify({ ...first, devices: [{ ...device, identities }] })).toThrow(
      refusal('an identity key is not a good one'),
    );
  });

  it('a device may have no login key, and several may', () => {
    const another = { ...device(5), loginKey: new Uint8Array(0) };
    const manifest = { ...first, devices: [DEVICES[0], ADMITTED, another] };
    expect(verify(manifest)).toEqual(manifest);
    const withKey = { ...first, version: 2, devices: [device(4, ['c25519'])], previous: seed(9) };
    const without = { ...withKey, devices: [ADMITTED] };
    // Tag, length and 32 bytes: an absent key is an absent field.
    expect(encodeManifest(withKey).length - encodeManifest(without).length).toBe(34);
  });

  it('S16: a suite that a server takes out of a device, or puts behind another, breaks the signature', () => {
    const honest = { ...first, devices: [HYBRID] };
    const signature = sign(encodeManifest(honest));
    expect(verifyManifest(crypto, accountKey, encodeManifest(honest), signature)).toEqual(honest);
    const { identities } = HYBRID;
    for (const changed of [identities.slice(2), identities.toReversed(), identities.slice(0, 3)]) {
      const forged = encodeManifest({ ...first, devices: [{ ...HYBRID, identities: changed }] });
      expect(() => verifyManifest(crypto, accountKey, forged, signature)).toThrow(refusal('the signature is wrong'));
    }
  });

  it('a key has one purpose and one owner', () => {
    const [one, , three] = DEVICES;
    const withLoginKey = (loginKey: Uint8Array) => ({ ...first, devices: [{ ...one, loginKey }] });
    expect(() => verify(withLoginKey(accountKey))).toThrow(refusal('a key is used twice'));
    expect(() => verify(withLoginKey(one.identities[0]!.identityKey))).toThrow(refusal('a key is used twice'));
    expect(() => verify({ ...first, devices: [one, { ...three, loginKey: one.loginKey }] })).toThrow(
      refusal('a key is used twice'),
    );
    expect(() => verify({ ...first, devices: [one, { ...three, identities: one.identities }] })).toThrow(
      refusal('a key is used twice'),
    );
  });
});

describe('verifySuccessor', () => {
  const firstBytes = encodeManifest(first);
  const second: Manifest = {
    ...first,
    version: 2,
    previous: manifestHash(crypto, firstBytes),
    issuedAt: first.issuedAt + 1,
    devices: [DEVICES[0], DEVICES[1]],
  };

  it('takes the first version after nothing, and the next after one', () => {
    verifySuccessor(crypto, undefined, first);
    verifySuccessor(crypto, firstBytes, second);
    verifySuccessor(crypto, firstBytes, { ...second, issuedAt: first.issuedAt, devices: [] });
  });

  const other = device(7);
  const wrong: [string, Partial<Manifest>][] = [
    ['the next version is 2', { version: 3 }],
    ['the next version is 2', { version: 1, previous: noPreviousManifest() }],
    ['of another account', { address: parseAccountAddress('sip:bob@example.org') }],
    ['does not follow the newest manifest', { previous: seed(1) }],
    ['issued before the one it follows', { issuedAt: first.issuedAt - 1 }],
    ['a device that stays has changed', { devices: [{ ...DEVICES[0], loginKey: other.loginKey }] }],
    ['a device that stays has changed', { devices: [{ ...DEVICES[0], identities: other.identities }] }],
    [
      'a device that stays has changed',
      { devices: [{ ...DEVICES[0], identities: DEVICES[0].identities.slice(0, 1) }] },
    ],
    [
      'a device that stays has changed',
      { devices: [{ ...DEVICES[0], identities: DEVICES[0].identities.toReversed() }] },
    ],
    ['a device that stays has changed', { devices: [{ ...DEVICES[0], addedAt: 0 }] }],
    ['a device that stays has changed', { devices: [{ ...DEVICES[0], loginKey: new Uint8Array(0) }] }],
  ];
  it.each(wrong)('S38 D10: %s', (message, change) => {
    expect(() => verifySuccessor(crypto, firstBytes, { ...second, ...change })).toThrow(refusal(message));
  });

  it('S38: nothing but version 1 comes first', () => {
    expect(() => verifySuccessor(crypto, undefined, second)).toThrow(refusal('the first manifest has version 1'));
  });
});
