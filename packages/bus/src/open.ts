/** The one place that knows all adapters of the bus and of counters: `BUS_URL` chooses, and only the chosen one is loaded. Mains call it, nobody else. */
import type { Counters } from './counters.ts';
import { type Bus, BusError } from './port.ts';

export interface OpenBusOptions {
  /** Hears what a handler threw; a log line. */
  readonly onHandlerError?: (error: unknown) => void;
  /** Hears that this node is cut off from the others, again with a reason when there is one, and that it is not any more; a log line. */
  readonly onConnection?: (state: 'lost' | 'restored', reason?: string) => void;
}

const REDIS = /^rediss?(\+(sentinel|cluster))?:/;

/**
 * `memory:`: in process, for one node. `redis://…`, `redis+sentinel://…`, `redis+cluster://…` and the same with `rediss`: for many (docs of
 * `parseRedisUrl`). Rejects with `BusError` whose one line names the value's problem and the fix.
 */
export async function openBus(url: string, options: OpenBusOptions = {}): Promise<Bus> {
  if (url === 'memory:') {
    const { MemoryHub, openMemoryBus } = await import('./memory.ts');
    return openMemoryBus(new MemoryHub(), options.onHandlerError);
  }
  if (REDIS.test(url)) {
    const { openRedisBus } = await import('./redis.ts');
    return openRedisBus({ url, ...options });
  }
  throw unknownScheme(url);
}

export interface JoinRegionsOptions {
  /** Hears what an `onInterruption` threw; a log line. */
  readonly onHandlerError?: (error: unknown) => void;
  /** Hears that a region is not heard, again with a reason when there is another one, and that it is heard again; a log line. */
  readonly onRegion?: (name: string, state: 'lost' | 'restored', reason?: string) => void;
}

/** An interruption of a link that nobody breaks is noticed within this and the time for an answer, ms. */
const HEARTBEAT_MS = 5_000;

/**
 * `own`, heard over the regions that `peers` (`BUS_PEERS`) names; `own` itself when it names none. `url`: of `own`. Rejects with `BusError`
 * whose one line names the problem and the fix; a region that does not answer is none, it is tried again.
 */
export async function joinRegions(
  own: Bus,
  url: string,
  peers: string,
  options: JoinRegionsOptions = {},
): Promise<Bus> {
  const { parsePeers } = await import('./peers.ts');
  const others = parsePeers(peers, url);
  if (others.length === 0) return own;
  const [{ openRegionalBus }, { openRedisBus }] = await Promise.all([import('./regional.ts'), import('./redis.ts')]);
  return openRegionalBus({
    ...options,
    own,
    others: others.map((peer) => ({
      name: peer.name,
      open: (onConnection) =>
        openRedisBus({
          url: peer.url,
          heartbeatMs: HEARTBEAT_MS,
          onConnection,
          ...(options.onHandlerError && { onHandlerError: options.onHandlerError }),
        }),
    })),
  });
}

export interface OpenCountersOptions {
  /** ms since 1970 */
  readonly now: () => number;
  /** Hears that this process counts alone, and that it does not any more; a log line. */
  readonly onShared?: (state: 'lost' | 'restored') => void;
}

/** Where limiters count, by the URL of the bus: `memory:` in this process, Redis together with all others. Rejects as `openBus`. */
export async function openCounters(url: string, options: OpenCountersOptions): Promise<Counters> {
  const { MemoryCounters } = await import('./memory-counters.ts');
  const alone = new MemoryCounters(options.now);
  if (url === 'memory:') return alone;
  if (!REDIS.test(url)) throw unknownScheme(url);
  const { openRedisCounters } = await import('./redis-counters.ts');
  return openRedisCounters({ url, alone, ...options });
}

function unknownScheme(url: string): BusError {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0];
  // The value itself is not repeated: a bus URL may carry a password.
  return new BusError(
    `the bus URL has ${scheme ? `the unknown scheme ${scheme}` : 'no scheme'}; use memory: or redis://HOST:PORT`,
  );
}
