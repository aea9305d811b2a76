/**
 * Full jitter (Brooker, "Exponential Backoff and Jitter"): clients that fell together do not come back together.
 * A short outage ends for everybody within ten seconds (case A01); only a long one is met with patience.
 */
import type { RandomBytes } from '@sealwire/crypto/port';

const FIRST_MS = 500;
/** The ceiling for about the first minute and a half of an outage. */
const EARLY_CAP_MS = 8_000;
const LATE_CAP_MS = 60_000;
/** What a server may ask for at most: it does not silence a device for good, and no timer overflows. */
const AT_LEAST_CAP_MS = 24 * 60 * 60_000;
/** So many failures in a row, and the outage is a long one. */
export const LONG_OUTAGE = 24;

/**
 * How long to wait before attempt `failures` + 1, ms: anything from nothing to 0.5 s, 1 s, 2 s, … 8 s, in a long outage to 16 s, 32 s,
 * 60 s; but at least `atLeastMs`, of which a day counts at most.
 */
export function backOff(failures: number, random: RandomBytes, atLeastMs = 0): number {
  const ceiling =
    failures < LONG_OUTAGE
      ? Math.min(EARLY_CAP_MS, FIRST_MS * 2 ** Math.min(failures, 16))
      : Math.min(LATE_CAP_MS, EARLY_CAP_MS * 2 ** Math.min(failures - LONG_OUTAGE + 1, 16));
  const [a, b] = random(2) as Uint8Array & [number, number];
  return Math.min(atLeastMs, AT_LEAST_CAP_MS) + Math.floor((ceiling * (a * 256 + b)) / 65_536);
}
