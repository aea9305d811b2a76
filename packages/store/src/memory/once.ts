/** Things that may happen once, in memory. */
import type { Once } from '../port.ts';
import { type MemoryState, textOf } from './state.ts';

/** How many takings pass between two sweeps of what has expired: the map stays within twice what is alive, plus this. */
const SWEEP_EVERY = 1_000;

export function memoryOnce(state: MemoryState): Once {
  let untilSweep = SWEEP_EVERY;
  return {
    async take(key, expiresAt, now) {
      if (--untilSweep === 0) {
        for (const [known, until] of state.taken) if (until <= now) state.taken.delete(known);
        untilSweep = SWEEP_EVERY + state.taken.size;
      }
      const name = textOf(key);
      const until = state.taken.get(name);
      if (until !== undefined && until > now) return false;
      state.taken.set(name, expiresAt);
      return true;
    },
  };
}
