/** `BUS_PEERS`: the Redis of each other region, by a name that logs and metrics have. */
import { BusError } from './port.ts';
import { parseRedisUrl, type RedisPlace } from './redis-url.ts';

export interface Peer {
  readonly name: string;
  /** As `BUS_URL` of the processes there. */
  readonly url: string;
}

const SHAPE = /^([a-z0-9][a-z0-9-]{0,31})=(rediss?(?:\+(?:sentinel|cluster))?:\/\/.+)$/;
/** Everybody listens everywhere: far beyond it, another bus is wanted. */
const MOST = 8;

/**
 * `NAME=URL`, separated by spaces or lines. `own`: `BUS_URL`. Throws a `BusError` of one line that never repeats a URL, since it may carry
 * a password.
 */
export function parsePeers(text: string, own: string): Peer[] {
  const peers = text
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => {
      const [, name, url] = SHAPE.exec(word) ?? [];
      if (name === undefined || url === undefined)
        throw new BusError('a region is wrong; write NAME=redis://HOST:PORT, names in small letters, spaces between');
      return { name, url };
    });
  if (peers.length === 0) return [];
  if (own === 'memory:') throw new BusError('regions need a Redis of their own each; set BUS_URL to this region’s');
  if (peers.length > MOST) throw new BusError(`more than ${MOST} other regions`);
  const seen = new Map([[placeOf(parseRedisUrl(own)), 'BUS_URL']]);
  for (const { name, url } of peers) {
    if (peers.filter((other) => other.name === name).length > 1)
      throw new BusError(`two regions are named ${name}; give each a name of its own`);
    const place = placeOf(placeIn(name, url));
    const before = seen.get(place);
    if (before !== undefined)
      throw new BusError(
        `${name} is the Redis of ${before}, too: all would be heard twice; name the other regions alone`,
      );
    seen.set(place, name);
  }
  return peers;
}

function placeIn(name: string, url: string): RedisPlace {
  try {
    return parseRedisUrl(url);
  } catch (error) {
    throw new BusError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Of two URLs the same: they lead to one Redis. Publications know nothing of databases. */
function placeOf({ kind, hosts, master }: RedisPlace): string {
  return [kind, ...hosts.map(({ host, port }) => `${host}:${port}`).sort(), kind === 'sentinel' ? master : ''].join(
    ' ',
  );
}
