/** The hostile inputs that libraries disagree about (cases S01, S31, D08), against both providers. */
import { describe, expect, it } from '@jest/globals';
import { ED448_TORSION_SUBGROUP, ed448 } from '@noble/curves/ed448.js';
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes as hex, utf8ToBytes as utf8 } from '@noble/hashes/utils.js';
import { littleEndian } from './little-endian.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { CryptoError } from './port.ts';
import { ED448_ENCODING, ED25519_ENCODING } from './strict-edwards.ts';
import { X448_ENCODING, X25519_ENCODING } from './strict-montgomery.ts';

const P25519 = 2n ** 255n - 19n;
const P448 = 2n ** 448n - 2n ** 224n - 1n;
const L25519 = ed25519.Point.CURVE().n;
const L448 = ed448.Point.CURVE().n;
const MESSAGE = utf8('pay Mallory');
const SEEDS = {
  ed25519: new Uint8Array(32).fill(7),
  ed25519ctx: new Uint8Array(32).fill(7),
  ed448: new Uint8Array(57).fill(7),
};

function withSignBit(encoding: Uint8Array): Uint8Array {
  const flipped = encoding.slice();
  flipped[flipped.length - 1]! |= 0x80;
  return flipped;
}

/** Every encoding of every small-order point that fits the field's bits, canonical or not. */
function smallOrderEncodings(canonical: readonly string[], prime: bigint, bits: bigint): Uint8Array[] {
  const length = canonical[0]!.length / 2;
  return canonical.map(hex).flatMap((encoding) => {
    const y = bytesToNumberLE(encoding) & (2n ** bits - 1n);
    const forms = [y, y + prime].filter((value) => value < 2n ** bits).map((value) => littleEndian(value, length));
    return forms.flatMap((form) => [form, withSignBit(form)]);
  });
}

const SMALL_ORDER = {
  ed25519: smallOrderEncodings(ED25519_TORSION_SUBGROUP, P25519, 255n),
  ed448: smallOrderEncodings(ED448_TORSION_SUBGROUP, P448, 448n),
};

describe.each([nobleCrypto(), nodeCrypto()])('strict signatures of $name', (crypto) => {
  it.each(['ed25519', 'ed25519ctx', 'ed448'] as const)('S31: %s refuses small-order public keys', (scheme) => {
    const signatures = crypto[scheme];
    const identityThenZero = new Uint8Array(signatures.signatureLength);
    identityThenZero[0] = 1; // R = the neutral element, S = 0: fits every message under A = the neutral element
    for (const publicKey of SMALL_ORDER[scheme === 'ed448' ? 'ed448' : 'ed25519']) {
      expect(signatures.isValidPublicKey(publicKey)).toBe(false);
      expect(signatures.verify(publicKey, MESSAGE, identityThenZero)).toBe(false);
    }
  });

  it('S31: the signature that a small-order key gives away for all messages would be valid elsewhere', () => {
    const neutral = littleEndian(1n, 32);
    const signature = concatBytes(neutral, new Uint8Array(32));
    expect(ed25519.verify(signature, MESSAGE, neutral, { zip215: true })).toBe(true);
    expect(crypto.ed25519.verify(neutral, MESSAGE, signature)).toBe(false);
  });

  it.each(['ed25519', 'ed25519ctx', 'ed448'] as const)('S31: %s refuses a small-order R', (scheme) => {
    const signatures = crypto[scheme];
    const publicKey = signatures.publicKey(SEEDS[scheme]);
    const signature = signatures.sign(SEEDS[scheme], MESSAGE);
    for (const r of SMALL_ORDER[scheme === 'ed448' ? 'ed448' : 'ed25519']) {
      const forged = concatBytes(r, signature.subarray(r.length));
      expect(signatures.verify(publicKey, MESSAGE, forged)).toBe(false);
    }
  });

  it.each(['ed25519', 'ed25519ctx', 'ed448'] as const)(
    'S31: %s: a point with a part of small order is no public key',
    (scheme) => {
      const { Point } = scheme === 'ed448' ? ed448 : ed25519;
      const torsion = scheme === 'ed448' ? ED448_TORSION_SUBGROUP : ED25519_TORSION_SUBGROUP;
      const suite = crypto.suites[scheme === 'ed448' ? 'c448' : 'c25519'];
      const honest = Point.fromBytes(crypto[scheme].publicKey(SEEDS[scheme]));
      const mixed = torsion.map((point) => honest.add(Point.fromHex(point))).filter((point) => !point.equals(honest));
      expect(mixed).toHaveLength(torsion.length - 1);
      for (const point of mixed) {
        expect(crypto[scheme].isValidPublicKey(point.toBytes())).toBe(false);
        // What makes such twins of a key worth refusing: whoever agrees on a secret cannot tell them apart.
        const [secret, ofTwin] = [honest, point].map((key) =>
          suite.dh.sharedSecret(SEEDS.ed448.subarray(0, suite.dh.keyLength), suite.identityToDhPublic(key.toBytes())),
        );
        expect(ofTwin).toEqual(secret);
      }
      expect(crypto[scheme].isValidPublicKey(honest.toBytes())).toBe(true);
    },
  );

  it('an honestly computed signature with small-order R is refused as well', () => {
    // With r = 0, S = k * a satisfies the equation; only the check of R stands against it.
    const { scalar } = ed25519.utils.getExtendedPublicKey(SEEDS.ed25519);
    const publicKey = crypto.ed25519.publicKey(SEEDS.ed25519);
    const r = littleEndian(1n, 32);
    const k = bytesToNumberLE(sha512(concatBytes(r, publicKey, MESSAGE))) % L25519;
    const signature = concatBytes(r, littleEndian((k * scalar) % L25519, 32));
    expect(ed25519.verify(signature, MESSAGE, publicKey, { zip215: false })).toBe(true);
    expect(crypto.ed25519.verify(publicKey, MESSAGE, signature)).toBe(false);
  });

  it('a signature whose R carries torsion gets the same answer everywhere: no', () => {
    const { scalar } = ed25519.utils.getExtendedPublicKey(SEEDS.ed25519);
    const publicKey = crypto.ed25519.publicKey(SEEDS.ed25519);
    const torsion = ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[1]!);
    const r = ed25519.Point.BASE.multiply(12345n).add(torsion).toBytes();
    const k = bytesToNumberLE(sha512(concatBytes(r, publicKey, MESSAGE))) % L25519;
    const signature = concatBytes(r, littleEndian((12345n + k * scalar) % L25519, 32));
    expect(ed25519.verify(signature, MESSAGE, publicKey, { zip215: false })).toBe(true);
    expect(crypto.ed25519.verify(publicKey, MESSAGE, signature)).toBe(false);
  });

  it.each([
    ['ed25519', L25519],
    ['ed25519ctx', L25519],
    ['ed448', L448],
  ] as const)('%s refuses S + L, the second form of a signature', (scheme, order) => {
    const signatures = crypto[scheme];
    const publicKey = signatures.publicKey(SEEDS[scheme]);
    const signature = signatures.sign(SEEDS[scheme], MESSAGE);
    const half = signature.length / 2;
    const second = littleEndian(bytesToNumberLE(signature.subarray(half)) + order, half);
    expect(signatures.verify(publicKey, MESSAGE, signature)).toBe(true);
    expect(signatures.verify(publicKey, MESSAGE, concatBytes(signature.subarray(0, half), second))).toBe(false);
  });

  it.each([
    ['ed25519', P25519, 255n],
    ['ed448', P448, 448n],
  ] as const)('%s: unreduced and absent points are no public keys', (scheme, prime, bits) => {
    const { publicKeyLength, isValidPublicKey, verify, sign } = crypto[scheme];
    const signature = sign(SEEDS[scheme], MESSAGE);
    // The largest y that fits is far above p; the second is below p but on no point of the curve.
    const noPoint = [2n, 3n, 5n, 7n, 11n, 13n].map((y) => littleEndian(y, publicKeyLength));
    const refused = noPoint.filter((encoding) => !isValidPublicKey(encoding));
    expect(refused.length).toBeGreaterThan(0);
    for (const publicKey of [
      littleEndian(2n ** bits - 1n, publicKeyLength),
      littleEndian(prime + 3n, publicKeyLength),
      ...refused,
    ]) {
      expect(isValidPublicKey(publicKey)).toBe(false);
      expect(verify(publicKey, MESSAGE, signature)).toBe(false);
    }
  });

  it.each(['ed25519', 'ed25519ctx', 'ed448'] as const)('%s: wrong lengths are false, never an exception', (scheme) => {
    const signatures = crypto[scheme];
    const publicKey = signatures.publicKey(SEEDS[scheme]);
    const signature = signatures.sign(SEEDS[scheme], MESSAGE);
    for (const length of [0, 1, signatures.publicKeyLength - 1, signatures.publicKeyLength + 1, 200]) {
      expect(signatures.isValidPublicKey(new Uint8Array(length))).toBe(false);
      expect(signatures.verify(new Uint8Array(length), MESSAGE, signature)).toBe(false);
      expect(signatures.verify(publicKey, MESSAGE, new Uint8Array(length))).toBe(false);
    }
  });

  it('Ed25519 and Ed25519ctx with empty context do not take each other for granted', () => {
    const publicKey = crypto.ed25519.publicKey(SEEDS.ed25519);
    expect(crypto.ed25519ctx.publicKey(SEEDS.ed25519)).toEqual(publicKey);
    expect(crypto.ed25519.verify(publicKey, MESSAGE, crypto.ed25519ctx.sign(SEEDS.ed25519, MESSAGE))).toBe(false);
    expect(crypto.ed25519ctx.verify(publicKey, MESSAGE, crypto.ed25519.sign(SEEDS.ed25519, MESSAGE))).toBe(false);
  });

  it.each(['c25519', 'c448'] as const)('%s: small-order identity keys have no DH form', (curve) => {
    for (const publicKey of SMALL_ORDER[curve === 'c448' ? 'ed448' : 'ed25519']) {
      expect(() => crypto.suites[curve].identityToDhPublic(publicKey)).toThrow(
        new CryptoError('bad-key', 'the identity key is no valid point of its curve'),
      );
    }
  });
});

describe.each([nobleCrypto(), nodeCrypto()])('strict key agreement of $name', (crypto) => {
  it.each([
    ['x25519', X25519_ENCODING],
    ['x448', X448_ENCODING],
  ] as const)('S01: %s refuses low-order public keys', (name, { lowOrderU, keyLength }) => {
    const privateKey = new Uint8Array(keyLength).fill(9);
    for (const publicKey of lowOrderU) {
      expect(crypto[name].isValidPublicKey(publicKey)).toBe(false);
      expect(() => crypto[name].sharedSecret(privateKey, publicKey)).toThrow(
        expect.objectContaining({ code: 'low-order' }),
      );
    }
  });

  it.each([
    ['x25519', P25519],
    ['x448', P448],
  ] as const)('%s: unreduced public keys are computed with, but not to be stored', (name, prime) => {
    const dh = crypto[name];
    const privateKey = new Uint8Array(dh.keyLength).fill(9);
    const reduced = littleEndian(4n, dh.keyLength);
    const unreduced = littleEndian(prime + 4n, dh.keyLength);
    expect(dh.sharedSecret(privateKey, unreduced)).toEqual(dh.sharedSecret(privateKey, reduced));
    expect(dh.isValidPublicKey(reduced)).toBe(true);
    expect(dh.isValidPublicKey(unreduced)).toBe(false);
    expect(dh.isValidPublicKey(dh.publicKey(privateKey))).toBe(true);
    expect(dh.isValidPublicKey(reduced.subarray(1))).toBe(false);
  });
});

describe('the constants of the strict checks', () => {
  it('name exactly the small-order points of both Edwards curves', () => {
    const yOf = (encoding: Uint8Array, bits: bigint) => bytesToNumberLE(encoding) & (2n ** bits - 1n);
    const known25519 = new Set(ED25519_TORSION_SUBGROUP.map((point) => yOf(hex(point), 255n)));
    const known448 = new Set(ED448_TORSION_SUBGROUP.map((point) => yOf(hex(point), 448n)));
    expect(new Set(ED25519_ENCODING.smallOrderY.map((y) => bytesToNumberLE(y)))).toEqual(known25519);
    expect(new Set(ED448_ENCODING.smallOrderY.map((y) => bytesToNumberLE(y)))).toEqual(known448);
  });

  it('name the fields and orders of both Edwards curves', () => {
    expect(bytesToNumberLE(ED25519_ENCODING.prime)).toBe(ed25519.Point.CURVE().p);
    expect(bytesToNumberLE(ED25519_ENCODING.order)).toBe(L25519);
    expect(bytesToNumberLE(ED448_ENCODING.prime)).toBe(ed448.Point.CURVE().p);
    expect(bytesToNumberLE(ED448_ENCODING.order)).toBe(L448);
  });
});
