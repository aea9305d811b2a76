/**
 * For tests of several processes that count together (docs/adr/0037): with counters in this process' memory, as if they were
 * shared, and on the Redis that `REDIS_URL` names.
 */
import { it } from '@jest/globals';
import type { Counters } from '../counters.ts';
import { MemoryCounters } from '../memory-counters.ts';
import { openCounters } from '../open.ts';

/** Each call of what `openerOf` returns is another process' counters over the same counts. */
export interface SharedCounters {
  readonly name: string;
  openerOf(): () => Promise<Counters>;
}

/** For `describe.each`. Without `REDIS_URL` a test of that title is skipped, aloud. */
export function sharedCounters(title: string): readonly SharedCounters[] {
  const memory = {
    name: 'memory',
    openerOf() {
      const shared = new MemoryCounters(() => 1_800_000_000_000);
      return async () => shared;
    },
  };
  const url = process.env.REDIS_URL;
  if (url !== undefined) return [memory, { name: 'Redis', openerOf: () => () => openCounters(url, { now: () => 1 }) }];
  it.skip(`${title}, counting on Redis: needs REDIS_URL`, () => {});
  return [memory];
}
