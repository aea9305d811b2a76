/**
 * The number by which two people see that each has the other's account key (docs/spec/verification.md section 2): a fingerprint of
 * each person, iterated as Signal does it, as 30 digits; the smaller first, so that both read the same 60.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { AccountAddress } from '@sealwire/wire/ids';
import { joined } from '@sealwire/wire/joined';

export interface VerifiedPerson {
  readonly address: AccountAddress;
  /** Ed25519. It signs the list of the account's devices: who compares it compares all of them. */
  readonly accountKey: Uint8Array;
}

const CONTEXT = new TextEncoder().encode('sealwire/safety-number/v1\0');
const KEY_BYTES = 32;
export const FINGERPRINT_BYTES = 32;
/** Each guess at a key with a fingerprint like another one costs so much: 2^12 on top of the 99 bits of 30 digits. */
const ITERATIONS = 5_200;
const GROUPS = 6;
const GROUP_BYTES = 5;
const GROUP_DIGITS = 5;

/** 32 bytes that stand for an address under its account key. Throws `RangeError` for a key of another length. */
export function personFingerprint(crypto: CryptoProvider, { address, accountKey }: VerifiedPerson): Uint8Array {
  if (accountKey.length !== KEY_BYTES) throw new RangeError(`an account key has ${KEY_BYTES} bytes`);
  let hash = crypto.sha512(joined([CONTEXT, accountKey, new TextEncoder().encode(address)]));
  for (let round = 1; round < ITERATIONS; round++) hash = crypto.sha512(joined([hash, accountKey]));
  return hash.slice(0, FINGERPRINT_BYTES);
}

/** 60 digits, the same for both of the pair. */
export function safetyNumber(one: Uint8Array, other: Uint8Array): string {
  return [digitsOf(one), digitsOf(other)].sort().join('');
}

/** 30 digits: six numbers of 40 bits, each modulo 100,000. */
function digitsOf(fingerprint: Uint8Array): string {
  const groups = Array.from({ length: GROUPS }, (_, index) => {
    const bytes = fingerprint.subarray(index * GROUP_BYTES, (index + 1) * GROUP_BYTES);
    // 40 bits: a number holds them exactly.
    const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return String(number % 100_000).padStart(GROUP_DIGITS, '0');
  });
  return groups.join('');
}
