/** The one place that knows all adapters of the bus: `BUS_URL` chooses, and only the chosen one is loaded. Mains call it, nobody else. */
import { type Bus, BusError } from './port.ts';

export interface OpenBusOptions {
  /** Hears what a handler threw; a log line. */
  readonly onHandlerError?: (error: unknown) => void;
  /** Hears that this node is cut off from the others, and that it is not any more; a log line. */
  readonly onConnection?: (state: 'lost' | 'restored') => void;
}

/**
 * `memory:`: in process, for one node. `redis://…`, `redis+sentinel://…`, `redis+cluster://…` and the same with `rediss`: for many (docs of
 * `parseRedisUrl`). Rejects with `BusError` whose one line names the value's problem and the fix.
 */
export async function openBus(url: string, options: OpenBusOptions = {}): Promise<Bus> {
  if (url === 'memory:') {
    const { MemoryHub, openMemoryBus } = await import('./memory.ts');
    return openMemoryBus(new MemoryHub(), options.onHandlerError);
  }
  if (/^rediss?(\+(sentinel|cluster))?:/.test(url)) {
    const { openRedisBus } = await import('./redis.ts');
    return openRedisBus({ url, ...options });
  }
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0];
  // The value itself is not repeated: a bus URL may carry a password.
  throw new BusError(
    `the bus URL has ${scheme ? `the unknown scheme ${scheme}` : 'no scheme'}; use memory: or redis://HOST:PORT`,
  );
}
