/** The time by which mail expires, in memory. */
import type { ExpiryTime } from '../port.ts';
import type { MemoryState } from './state.ts';

export function memoryExpiryTime(state: MemoryState): ExpiryTime {
  return {
    async read() {
      return state.expiryTime;
    },
    async write(time) {
      state.expiryTime = time;
    },
  };
}
