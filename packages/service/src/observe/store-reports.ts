/** What a store tells its operator, as lines of the log and a metric. Whose data it is stays with `verify`. */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface StoreNews {
  isNew(): void;
  damaged(part: string): void;
}

export function storeNews(log: Log, metrics: Pick<Metrics, 'storeDamages'>): StoreNews {
  return {
    isNew() {
      log.info('store-is-new', { reason: 'there was none, and it begins with nothing' });
    },
    damaged(part) {
      metrics.storeDamages.inc({ part });
      log.error('store-damaged', { reason: `a part that cannot be read: ${part}; see npm start -- verify` });
    },
  };
}
