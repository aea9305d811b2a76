/** Randomness for tests: the same in every run for the same seed (xorshift128+ on 32-bit words), and no use elsewhere. */
import type { RandomBytes } from '../port.ts';

export function seededRandom(seed: number | string): RandomBytes {
  const start = typeof seed === 'number' ? seed : fnv1a(seed);
  let a = (start | 0) ^ 0x9e3779b9;
  let b = Math.imul(start + 1, 0x85ebca6b) | 1;
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

/** Numbers from 0 to below 1. */
export function seededNumbers(seed: number | string): () => number {
  const random = seededRandom(seed);
  return () => new DataView(random(4).buffer).getUint32(0) / 2 ** 32;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
