/** `BUS_URL` for Redis: what the URL standard's one host cannot say, several of them, is said by a comma. */
import { BusError } from './port.ts';

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export interface RedisPlace {
  readonly kind: 'server' | 'sentinel' | 'cluster';
  readonly hosts: readonly RedisHost[];
  readonly credentials: { readonly username?: string; readonly password?: string };
  /** Of the sentinels, once it is known that they ask (`withSentinels`). */
  readonly sentinelCredentials?: RedisPlace['credentials'];
  readonly tls: boolean;
  readonly db: number;
  /** The name that the sentinels know the primary by. */
  readonly master: string;
}

const KINDS = { redis: 'server', 'redis+sentinel': 'sentinel', 'redis+cluster': 'cluster' } as const;
const SHAPE = /^([a-z+]+):\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^?#]*))?$/;
const PORTS = { server: 6_379, sentinel: 26_379, cluster: 6_379 } as const;

/**
 * `redis://[USER[:PASSWORD]@]HOST[:PORT][/DB]`, `redis+sentinel://…HOST:PORT,HOST:PORT/NAME`, `redis+cluster://…HOST:PORT,HOST:PORT`; with
 * `rediss` over TLS. The credentials are the primary's, and its sentinels' if they ask. Throws a `BusError` that never repeats the value, since it may carry a password.
 */
export function parseRedisUrl(url: string): RedisPlace {
  // Else a part of the password would be cut off, or looked up as a host.
  const authority = url.slice(url.indexOf('//') + 2);
  if (/@.*@|\/.*@|^[^@:]*:[^@]*:.*@/.test(authority))
    throw new BusError(
      'the bus URL has an @, a / or a : too many; special characters of a user or password are written as %XX, @ as %40',
    );
  const [, scheme = '', user = '', hosts = '', path = ''] = SHAPE.exec(url) ?? [];
  const tls = scheme.startsWith('rediss');
  const kind = KINDS[scheme.replace('rediss', 'redis') as keyof typeof KINDS];
  if (!kind) throw new BusError('the bus URL is wrong; write redis://HOST:PORT, without options after a ?');
  if (kind === 'server' && hosts.includes(','))
    throw new BusError('the bus URL names several servers; write redis+sentinel:// or redis+cluster://');
  if (kind === 'sentinel' && path === '')
    throw new BusError('the bus URL lacks the name of the primary; write redis+sentinel://HOST:PORT,HOST:PORT/NAME');
  if (kind === 'server' && !/^\d*$/.test(path)) throw new BusError('the database of the bus URL is a number');
  if (kind === 'cluster' && path !== '')
    throw new BusError('a cluster has one database: end the bus URL after the hosts');
  return {
    kind,
    hosts: hosts.split(',').map((one) => hostOf(one, PORTS[kind])),
    credentials: credentialsOf(user),
    tls,
    db: kind === 'server' ? Number(path) : 0,
    master: path,
  };
}

function hostOf(text: string, port: number): RedisHost {
  const [, host, given] = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const number = given === undefined ? port : Number(given);
  if (!host || number < 1 || number > 65_535) throw new BusError('a host of the bus URL is wrong; write HOST:PORT');
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function credentialsOf(text: string): RedisPlace['credentials'] {
  if (text === '') return {};
  try {
    const [username = '', password] = text.split(':', 2).map(decodeURIComponent);
    return { ...(username !== '' && { username }), ...(password !== undefined && { password }) };
  } catch {
    throw new BusError('the password of the bus URL has a % that stands for nothing; write it as %25');
  }
}
