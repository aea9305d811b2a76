/**
 * Ed25519, Ed25519ctx with empty context, and Ed448 with empty context (RFC 8032) on noble.
 *
 * RFC 8032 allows two verification equations, which differ on signatures with a torsion component. OpenSSL checks the one
 * without cofactor for Ed25519 and the one with cofactor for Ed448; noble checks the one with cofactor always. So that every
 * machine gives the same answer, Ed25519 is checked here without cofactor, from noble's point arithmetic.
 */

import { ed448 } from '@noble/curves/ed448.js';
import { ed25519, ed25519ctx } from '@noble/curves/ed25519.js';
import { bytesToNumberLE, equalBytes } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { requireLength } from './lengths.ts';
import type { Signatures } from './port.ts';
import {
  ED448_ENCODING,
  ED25519_ENCODING,
  type EdwardsEncoding,
  isStrictPointEncoding,
  isStrictSignature,
} from './strict-edwards.ts';

/** Same order of arguments as the port; called with strict encodings only. */
type Equation = Signatures['verify'];

const NONE = new Uint8Array();

/** What noble wants to be told; plain Ed25519 has no notion of a context. */
interface SchemeOptions {
  readonly context?: Uint8Array;
}

const EMPTY_CONTEXT: SchemeOptions = { context: NONE };

/** dom2(0, "") of RFC 8032 section 2: present in Ed25519ctx even when the context is empty (lime-protocol section 0, trap 1). */
const DOM2_EMPTY = concatBytes(utf8ToBytes('SigEd25519 no Ed25519 collisions'), Uint8Array.of(0, 0));

export const nobleEd25519: Signatures = signatures(ED25519_ENCODING, ed25519, {}, withoutCofactor(NONE));

export const nobleEd25519ctx: Signatures = signatures(
  ED25519_ENCODING,
  ed25519ctx,
  EMPTY_CONTEXT,
  withoutCofactor(DOM2_EMPTY),
);

export const nobleEd448: Signatures = signatures(
  ED448_ENCODING,
  ed448,
  EMPTY_CONTEXT,
  (publicKey, message, signature) => ed448.verify(signature, message, publicKey, { zip215: false, context: NONE }),
);

function signatures(
  curve: EdwardsEncoding,
  scheme: typeof ed25519,
  options: SchemeOptions,
  equation: Equation,
): Signatures {
  const seedLength = curve.publicKeyLength;
  return {
    seedLength,
    publicKeyLength: curve.publicKeyLength,
    signatureLength: curve.signatureLength,
    publicKey(seed) {
      requireLength('seed', seed, seedLength);
      return scheme.getPublicKey(seed);
    },
    sign(seed, message) {
      requireLength('seed', seed, seedLength);
      return scheme.sign(message, seed, options);
    },
    verify(publicKey, message, signature) {
      return isStrictSignature(curve, publicKey, signature) && equation(publicKey, message, signature);
    },
    isValidPublicKey(publicKey) {
      return isStrictPointEncoding(curve, publicKey) && isInPrimeSubgroup(scheme, publicKey);
    },
  };
}

/** S·B - k·A must encode to exactly the bytes of R, where k = SHA-512(prefix || R || A || M). */
function withoutCofactor(prefix: Uint8Array): Equation {
  const { Point } = ed25519;
  return (publicKey, message, signature) => {
    const a = decodePoint(publicKey);
    if (!a) return false;
    const r = signature.subarray(0, ED25519_ENCODING.publicKeyLength);
    const s = bytesToNumberLE(signature.subarray(ED25519_ENCODING.publicKeyLength));
    const k = Point.Fn.create(bytesToNumberLE(sha512(concatBytes(prefix, r, publicKey, message))));
    const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes();
    return equalBytes(expected, r);
  };
}

/**
 * A point with a part of small order has twins: other encodings, under which the same private key
 * gives the same shared secrets. Costs a scalar multiplication, so it is for keys that come in.
 */
function isInPrimeSubgroup({ Point }: typeof ed25519, encoded: Uint8Array): boolean {
  try {
    return Point.fromBytes(encoded, false).isTorsionFree();
  } catch {
    return false; // no point of the curve
  }
}

function decodePoint(encoded: Uint8Array) {
  try {
    return ed25519.Point.fromBytes(encoded, false);
  } catch {
    return undefined; // no point of the curve
  }
}
