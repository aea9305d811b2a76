/** Sources of "randomness" for tests: a script of exact answers, and a seeded stream. */
import type { RandomBytes } from '@sealwire/crypto/port';

/** Gives out `answers` in order; asking for another length, or once too often, is an error. */
export function scriptedRandom(...answers: Uint8Array[]): RandomBytes & { readonly left: () => number } {
  const random = (length: number) => {
    const answer = answers.shift();
    if (answer?.length !== length) throw new Error(`the script has ${answer?.length} bytes, asked for ${length}`);
    return answer.slice();
  };
  return Object.assign(random, { left: () => answers.length });
}

/** xorshift128+ on 32-bit words: the same bytes for the same seed, and no use outside tests. */
export function seededRandom(seed: number): RandomBytes {
  let a = (seed | 0) ^ 0x9e3779b9;
  let b = Math.imul(seed + 1, 0x85ebca6b) | 1;
  const next = () => {
    let t = a;
    a = b;
    t ^= t << 23;
    t ^= t >>> 17;
    t ^= b ^ (b >>> 26);
    b = t;
    return (a + b) & 0xff;
  };
  for (let i = 0; i < 16; i += 1) next();
  return (length) => Uint8Array.from({ length }, next);
}
