/**
 * For tests: the twin of an Ed25519 key, a point with a part of order two (RFC 8032 sections 5.1.6 and 5.1.7). Its signatures hold
 * under the equation without cofactor too, as their maker draws nonces until the challenge is even.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { littleEndian } from '../little-endian.ts';

const { Point } = ed25519;
/** The point (0, -1). */
const ORDER_TWO = Point.fromAffine({ x: 0n, y: Point.Fp.ORDER - 1n });
const PREFIX = {
  ed25519: new Uint8Array(0),
  ed25519ctx: concatBytes(utf8ToBytes('SigEd25519 no Ed25519 collisions'), Uint8Array.of(0, 0)),
};

export interface Twin {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** `seed`: of the honest key, 32 bytes. */
export function twinOf(seed: Uint8Array, scheme: keyof typeof PREFIX = 'ed25519'): Twin {
  const { scalar, point } = ed25519.utils.getExtendedPublicKey(seed);
  const publicKey = point.add(ORDER_TWO).toBytes();
  return {
    publicKey,
    sign(message) {
      for (let nonce = 2n; ; nonce++) {
        const r = Point.BASE.multiply(nonce).toBytes();
        const k = Point.Fn.create(bytesToNumberLE(sha512(concatBytes(PREFIX[scheme], r, publicKey, message))));
        if (k % 2n === 0n) return concatBytes(r, littleEndian(Point.Fn.create(nonce + k * scalar), 32));
      }
    },
  };
}
