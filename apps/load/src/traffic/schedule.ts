/**
 * The open model: events at the times at which people would cause them, whatever the server does meanwhile. Each is handed its intended
 * time, from which latency counts: a server that stands still is charged with all that should have come through.
 */

/** A timer is late by a millisecond, and an event loop has other things to do. */
const MOST_SLEEP_MS = 20;
/** Then others have their turn, so that a generator that is too slow still hears answers. */
const MOST_AT_ONCE = 200;

export interface ScheduleTerms {
  /** A second. */
  readonly rate: number;
  /** Of `now`, exclusive. */
  readonly from: number;
  readonly until: number;
  readonly random: () => number;
  /** ms, never backwards. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Calls `fire` for each event of a Poisson process. Resolves when the time is over, or the signal fires. */
export function play(
  { rate, from, until, random, now, signal }: ScheduleTerms,
  fire: (intended: number) => void,
): Promise<void> {
  let next = from + gap();
  function gap(): number {
    return (-Math.log1p(-random()) * 1_000) / rate;
  }
  return new Promise((resolve) => {
    const turn = () => {
      for (let fired = 0; next <= now() && next < until && fired < MOST_AT_ONCE; fired++) {
        fire(next);
        next += gap();
      }
      if (signal.aborted || next >= until) return resolve();
      const rest = next - now();
      if (rest <= 0) setImmediate(turn);
      else setTimeout(turn, Math.min(rest, MOST_SLEEP_MS));
    };
    turn();
  });
}
