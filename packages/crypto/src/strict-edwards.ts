/**
 * What both providers refuse before they look at a signature equation (RFC 8032 sections 5.1.7 and 5.2.7, and stricter).
 *
 * Libraries differ in exactly the places that hurt: OpenSSL takes unreduced and small-order public keys, noble's default takes
 * both for consensus reasons. Under a small-order key one signature fits every message, so whoever publishes such a key can later
 * deny what he signed. If client and server disagreed about one signature, a directory could serve what clients refuse.
 * All checks here look at encodings only, so they cost nothing next to a scalar multiplication and need no cache.
 */
import { isAmong, isBelow, littleEndian } from './little-endian.ts';

/** The public constants of one Edwards curve, integers little endian, in the width of a point encoding. */
export interface EdwardsEncoding {
  readonly publicKeyLength: number;
  readonly signatureLength: number;
  /** The field's prime p: an encoded y must be below it. */
  readonly prime: Uint8Array;
  /** The order L of the base point: S must be below it, or a signature has a second form (malleability). */
  readonly order: Uint8Array;
  /** The y coordinates of all points whose order divides the cofactor (x is ±; the sign bit does not matter). */
  readonly smallOrderY: readonly Uint8Array[];
}

export const ED25519_ENCODING: EdwardsEncoding = encoding(
  32,
  2n ** 255n - 19n,
  2n ** 252n + 27742317777372353535851937790883648493n,
  // The pair of order 8 besides 0, 1 and -1.
  [0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n],
);

export const ED448_ENCODING: EdwardsEncoding = encoding(
  57,
  2n ** 448n - 2n ** 224n - 1n,
  2n ** 446n - 13818066809895115352007386748515426880336692474882178609894547503885n,
  [],
);

/** True when `bytes` could be a public key: right length, y below p, not of small order. Whether it is a point is not asked. */
export function isStrictPointEncoding(curve: EdwardsEncoding, bytes: Uint8Array): boolean {
  if (bytes.length !== curve.publicKeyLength) return false;
  // Not `slice`: of a Node Buffer that is a view, and the line below would change the caller's key.
  const y = Uint8Array.from(bytes);
  y[y.length - 1]! &= 0x7f;
  return isBelow(y, curve.prime) && !isAmong(y, curve.smallOrderY);
}

/** True when key and signature may be given to the equation: both points strict, S below the order. Never throws. */
export function isStrictSignature(curve: EdwardsEncoding, publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== curve.signatureLength) return false;
  const half = curve.signatureLength / 2;
  return (
    isBelow(signature.subarray(half), curve.order) &&
    isStrictPointEncoding(curve, signature.subarray(0, half)) &&
    isStrictPointEncoding(curve, publicKey)
  );
}

function encoding(length: number, prime: bigint, order: bigint, orderEightY: readonly bigint[]): EdwardsEncoding {
  const ys = [0n, 1n, prime - 1n, ...orderEightY.flatMap((y) => [y, prime - y])];
  return {
    publicKeyLength: length,
    signatureLength: 2 * length,
    prime: littleEndian(prime, length),
    order: littleEndian(order, length),
    smallOrderY: ys.map((y) => littleEndian(y, length)),
  };
}
