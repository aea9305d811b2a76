/** What every restore raises, whichever store it is (docs/adr/0065). */

/**
 * Numbers that a mailbox skips: more than it can have given out since the backup was made. At ten messages a second it would take 310
 * days, and there is room for a million restores.
 */
export const RESTORED_SEQS = 2 ** 28;

/** Relays make session numbers from the clock, so many for each millisecond. */
const SESSIONS_PER_MS = 4_096;
/** Leaves room for numbers behind it. */
const LATEST_SESSION = 2 ** 53 - 2 ** 40;

/** Behind all that were claimed until `now` (ms), so that no session of the time before acknowledges anything. */
export function restoredSession(before: number, now: number): number {
  return Math.max(before, Math.min(now * SESSIONS_PER_MS, LATEST_SESSION));
}
