/** For tests: SHA-256 in counter mode, random enough and the same in every run. */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';

export function seededRandom(crypto: CryptoProvider, seed: string): RandomBytes {
  let counter = 0;
  return (length) => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
      crypto.sha256(Buffer.from(`${seed}/${counter++}`)),
    );
    return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
  };
}
