/**
 * The system's randomness, for browsers and Node alike: `globalThis.crypto.getRandomValues`, and nothing else. There is no
 * fallback: a weak generator would be silent, a refusal is not.
 */
import { CryptoError, type RandomBytes } from './port.ts';

/** Web Cryptography API, `getRandomValues`: longer requests throw `QuotaExceededError`. */
const BYTES_PER_CALL = 65_536;

/** Bytes of one self-test sample: two honest samples are equal once in 2^256 starts. */
const SAMPLE_BYTES = 32;

/** `length` fresh bytes of the operating system. Throws `randomness-missing` where the platform has none. */
export const systemRandom: RandomBytes = (length) => {
  const source = globalThis.crypto;
  if (typeof source?.getRandomValues !== 'function') {
    throw new CryptoError(
      'randomness-missing',
      'globalThis.crypto.getRandomValues is missing; no key can be made here',
    );
  }
  const bytes = new Uint8Array(length);
  for (let start = 0; start < length; start += BYTES_PER_CALL) {
    source.getRandomValues(bytes.subarray(start, start + BYTES_PER_CALL));
  }
  return bytes;
};

/**
 * For composition roots, once at start: throws `randomness-missing` when the source is absent, reads short, or repeats itself
 * (a stub that returns zeros, a virtual machine's stuck device). It cannot prove randomness, only catch its plain absence.
 */
export function requireRandomness(random: RandomBytes): void {
  const first = random(SAMPLE_BYTES);
  const second = random(SAMPLE_BYTES);
  const complete = first.length === SAMPLE_BYTES && second.length === SAMPLE_BYTES;
  if (!complete || isConstant(first) || isConstant(second) || first.every((byte, i) => byte === second[i])) {
    throw new CryptoError('randomness-missing', 'the random source failed its self-test; refusing to start');
  }
}

function isConstant(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === bytes[0]);
}
