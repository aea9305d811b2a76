/** What a store tells its operator, as lines of the log and a metric. Whose data it is stays with `verify`. */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface StoreNews {
  isNew(): void;
  damaged(part: string): void;
  full(folder: string, freeBytes: number): void;
  hasSpace(): void;
}

export function storeNews(log: Log, metrics: Pick<Metrics, 'storeDamages' | 'storeFull'>): StoreNews {
  return {
    isNew() {
      log.info('store-is-new', { reason: 'there was none, and it begins with nothing' });
    },
    damaged(part) {
      metrics.storeDamages.inc({ part });
      log.error('store-damaged', { reason: `a part that cannot be read: ${part}; see npm start -- verify` });
    },
    full(path, bytes) {
      metrics.storeFull.set(1);
      const reason = 'no space left: writes are refused, and reading goes on; it takes writes again once some is free';
      log.error('store-full', { path, bytes, reason });
    },
    hasSpace() {
      metrics.storeFull.set(0);
      log.warn('store-has-space', { reason: 'it takes writes again' });
    },
  };
}
