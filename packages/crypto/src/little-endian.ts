/** Little-endian integers as bytes, compared without turning them into numbers. For public values only: `isBelow` stops early. */
import { equalBytes } from '@noble/curves/utils.js';

/** `value` in exactly `length` bytes, least significant first. */
export function littleEndian(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

/** Whether `a < bound`; both of one length. */
export function isBelow(a: Uint8Array, bound: Uint8Array): boolean {
  for (let i = a.length - 1; i >= 0; i--) {
    if (a[i] !== bound[i]) return a[i]! < bound[i]!;
  }
  return false;
}

/** Whether `value` is one of `list`. */
export function isAmong(value: Uint8Array, list: readonly Uint8Array[]): boolean {
  return list.some((entry) => equalBytes(entry, value));
}
