/** Full jitter (Brooker, "Exponential Backoff and Jitter"): clients that fell together do not come back together. */
import type { RandomBytes } from '@sealwire/crypto/port';

const FIRST_MS = 500;
const CAP_MS = 60_000;

/** How long to wait before attempt `failures` + 1, ms: anything from nothing to 0.5 s, 1 s, 2 s, … 60 s, but at least `atLeastMs`. */
export function backOff(failures: number, random: RandomBytes, atLeastMs = 0): number {
  const ceiling = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  const [a, b] = random(2) as Uint8Array & [number, number];
  return atLeastMs + Math.floor((ceiling * (a * 256 + b)) / 65_536);
}
