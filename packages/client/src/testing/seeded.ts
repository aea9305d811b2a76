/** Randomness that is the same in every run: a counter hashed. For tests alone. */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';

export function seeded(crypto: CryptoProvider, seed: number): RandomBytes {
  let counter = 0;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 32) {
      const block = crypto.sha256(Uint8Array.of(seed, counter & 255, (counter >> 8) & 255, (counter >> 16) & 255));
      bytes.set(block.subarray(0, Math.min(32, length - at)), at);
      counter += 1;
    }
    return bytes;
  };
}
