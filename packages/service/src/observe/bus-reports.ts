/** What an operator hears of the bus while a server runs: that this process is cut off from the others, and that it is not any more. */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface BusNews {
  /** `reason`: a short fixed text. */
  onConnection(state: 'lost' | 'restored', reason?: string): void;
  onHandlerError(error: unknown): void;
}

export function busNews(log: Log, metrics: Pick<Metrics, 'busConnected' | 'busFaults' | 'unhandledErrors'>): BusNews {
  return {
    onConnection(state, reason) {
      metrics.busConnected.set(state === 'restored' ? 1 : 0);
      if (state === 'restored') {
        log.info('bus-restored');
        return;
      }
      metrics.busFaults.inc({ fault: 'lost' });
      log.warn('bus-lost', { setting: 'BUS_URL', ...(reason !== undefined && { reason }) });
    },
    onHandlerError(error) {
      metrics.unhandledErrors.inc({ where: 'bus-message' });
      log.error('bus-message-failed', { error });
    },
  };
}

export interface RegionNews {
  onRegion(name: string, state: 'lost' | 'restored', reason?: string): void;
  onHandlerError(error: unknown): void;
}

/** The same of other regions (`BUS_PEERS`): what they publish is not heard here meanwhile. */
export function regionNews(
  log: Log,
  metrics: Pick<Metrics, 'busRegionConnected' | 'busFaults' | 'unhandledErrors'>,
): RegionNews {
  return {
    onRegion(region, state, reason) {
      metrics.busRegionConnected.set({ region }, state === 'restored' ? 1 : 0);
      if (state === 'restored') {
        log.info('region-restored', { region });
        return;
      }
      metrics.busFaults.inc({ fault: 'region-lost' });
      log.warn('region-lost', { region, setting: 'BUS_PEERS', ...(reason !== undefined && { reason }) });
    },
    onHandlerError(error) {
      metrics.unhandledErrors.inc({ where: 'bus-message' });
      log.error('bus-message-failed', { error });
    },
  };
}
