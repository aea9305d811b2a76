/** For tests: one door on a free port of 127.0.0.1, as the only one of its server. */

import type { HttpDoor } from '../http/http-door.ts';
import { type Listening, listen } from '../http/listen.ts';
import { createHealth, type HealthOptions } from '../observe/health.ts';

type LoopbackOptions = Omit<HealthOptions, 'ready' | 'version'> & { readonly door: HttpDoor };

/** The one that the committed `openapi.json` files name. */
export const VERSION = '0.1.0';

/** The door is ready when it says so itself. */
export function listenOnLoopback({ server, door, log, metrics, now }: LoopbackOptions): Promise<Listening> {
  return listen({
    address: { host: '127.0.0.1', port: 0 },
    routes: [{ prefix: '/', door }],
    health: createHealth({ server, version: VERSION, notes: door.notes, ready: () => door.ready(), metrics, log, now }),
    log,
    metrics,
  });
}
