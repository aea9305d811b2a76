/**
 * Which bytes may be stored as an X25519 or X448 public key (RFC 7748): canonical, and not of low order. With a low-order key every
 * shared secret is zero, and a non-canonical encoding would let one key pass for two (case D08).
 */
import type { SuiteName } from '@sealwire/crypto/port';

const P25519 = 2n ** 255n - 19n;
const P448 = 2n ** 448n - 2n ** 224n - 1n;

/** u coordinates of the points of order 1, 2, 4 and 8, on the curve and on its twist. */
const LOW_ORDER: Readonly<Record<SuiteName, ReadonlySet<bigint>>> = {
  c25519: new Set([
    0n,
    1n,
    325606250916557431795983626356110631294008115727848805560023387167927233504n,
    39382357235489614581723060781553021112529911719440698176882885853963445705823n,
    P25519 - 1n,
  ]),
  c448: new Set([0n, 1n, P448 - 1n]),
};

const PRIME: Readonly<Record<SuiteName, bigint>> = { c25519: P25519, c448: P448 };
const LENGTH: Readonly<Record<SuiteName, number>> = { c25519: 32, c448: 56 };

export function isGoodDhKey(curve: SuiteName, publicKey: Uint8Array): boolean {
  if (publicKey.length !== LENGTH[curve]) return false;
  const u = BigInt(`0x${Buffer.from(publicKey).reverse().toString('hex')}`);
  return u < PRIME[curve] && !LOW_ORDER[curve].has(u);
}
