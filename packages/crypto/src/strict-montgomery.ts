/**
 * Which X25519 and X448 public keys may be *stored*: canonical, and not one that makes every shared secret zero.
 *
 * RFC 7748 wants unreduced keys to be computed with, and the ladder does. A directory is another matter: it need not take keys
 * that no honest generator makes, and each low-order prekey it hands out fails a session set-up.
 */
import { isAmong, isBelow, littleEndian } from './little-endian.ts';

/** The public constants of one Montgomery curve, integers little endian. */
export interface MontgomeryEncoding {
  readonly keyLength: number;
  readonly prime: Uint8Array;
  /** The u coordinates on curve and twist whose order divides the cofactor. */
  readonly lowOrderU: readonly Uint8Array[];
}

export const X25519_ENCODING: MontgomeryEncoding = encoding(32, 2n ** 255n - 19n, [
  // The two of order 8.
  0xb8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0n,
  0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5fn,
]);

export const X448_ENCODING: MontgomeryEncoding = encoding(56, 2n ** 448n - 2n ** 224n - 1n, []);

/** True for the right length, u below the prime, and no small order. Any such u is a point of the curve or of its twist. */
export function isStrictMontgomeryKey(curve: MontgomeryEncoding, publicKey: Uint8Array): boolean {
  return (
    publicKey.length === curve.keyLength && isBelow(publicKey, curve.prime) && !isAmong(publicKey, curve.lowOrderU)
  );
}

function encoding(keyLength: number, prime: bigint, orderEightU: readonly bigint[]): MontgomeryEncoding {
  const lowOrder = [0n, 1n, prime - 1n, ...orderEightU];
  return {
    keyLength,
    prime: littleEndian(prime, keyLength),
    lowOrderU: lowOrder.map((u) => littleEndian(u, keyLength)),
  };
}
