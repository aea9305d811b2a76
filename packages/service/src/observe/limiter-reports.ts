/** What an operator hears of limiters that are to count together: that this process counts alone, and that it does not any more. */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export function limiterNews(
  log: Log,
  metrics: Pick<Metrics, 'busFaults' | 'limitersShared'>,
): (state: 'lost' | 'restored') => void {
  return (state) => {
    metrics.limitersShared.set(state === 'restored' ? 1 : 0);
    if (state === 'restored') {
      log.info('limiters-shared');
      return;
    }
    metrics.busFaults.inc({ fault: 'uncounted' });
    log.warn('limiters-count-alone', {
      setting: 'BUS_URL',
      reason: 'each process allows a budget of its own meanwhile',
    });
  };
}
