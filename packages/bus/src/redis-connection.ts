/** Connections to Redis and Valkey as a URL names them, and how long anybody waits for one. */
import { systemRandom } from '@sealwire/crypto/random';
import { Cluster, Redis } from 'ioredis';
import { BusError } from './port.ts';
import { quietReadyCheck } from './redis-console.ts';
import type { RedisPlace } from './redis-url.ts';

/** A publication, and a first subscription, is confirmed or refused within this. */
export const COMMAND_MS = 3_000;
const FIRST_CONNECTION_MS = 5_000;
const MOST_WAIT_MS = 500;

/** Longer with each attempt, and never the same for two that lost their connections together. */
export function waitMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 8), MOST_WAIT_MS) * (0.5 + systemRandom(1)[0]! / 510);
}

/** `answersWithinMs`: a connection over which nothing comes for so long after a command is broken, and made anew. */
export function connectionOf(place: RedisPlace, isPatient: boolean, answersWithinMs?: number): Redis | Cluster {
  const common = {
    lazyConnect: true,
    // `renew` subscribes, so that it knows when that is confirmed.
    autoResubscribe: false,
    commandTimeout: COMMAND_MS,
    connectTimeout: COMMAND_MS,
    ...(answersWithinMs !== undefined && { socketTimeout: answersWithinMs }),
    enableOfflineQueue: isPatient,
    maxRetriesPerRequest: isPatient ? null : 0,
    ...place.credentials,
    ...(place.tls && { tls: {} }),
  };
  const { enableOfflineQueue, ...ofNodes } = common;
  quietReadyCheck();
  switch (place.kind) {
    case 'server':
      return new Redis({ ...common, ...place.hosts[0]!, db: place.db, retryStrategy: waitMs });
    case 'sentinel':
      return new Redis({
        ...common,
        name: place.master,
        sentinels: [...place.hosts],
        ...sentinelOptions(place.sentinelCredentials),
        failoverDetector: true,
        // Else the client speaks TLS to nobody, whatever `tls` says.
        ...(place.tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
        retryStrategy: waitMs,
        sentinelRetryStrategy: waitMs,
      });
    case 'cluster':
      return new Cluster([...place.hosts], {
        lazyConnect: true,
        shardedSubscribers: true,
        clusterRetryStrategy: waitMs,
        enableOfflineQueue,
        redisOptions: ofNodes,
      });
  }
}

function sentinelOptions({ username, password }: RedisPlace['credentials'] = {}) {
  return {
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
  };
}

/**
 * Sentinels that ask for a password are given that of the URL, as their primary is; those that ask for none refuse one. So the first
 * of them that answers is asked, and what it says holds for all.
 */
export async function withSentinels(place: RedisPlace): Promise<RedisPlace> {
  if (place.kind !== 'sentinel' || place.credentials.password === undefined) return place;
  for (const host of place.hosts) {
    const client = new Redis({
      ...{ ...host, lazyConnect: true, connectTimeout: COMMAND_MS, commandTimeout: COMMAND_MS },
      ...{ enableReadyCheck: false, maxRetriesPerRequest: 0, retryStrategy: () => null },
      ...(place.tls && { tls: {} }),
    });
    // What `connect` rejects with says only that it came to nothing.
    let reason: unknown;
    client.on('error', (error: unknown) => {
      reason = error;
    });
    try {
      await client.connect();
      await client.ping();
      return place;
    } catch (error) {
      if (/NOAUTH/.test(messageOf(reason ?? error))) return { ...place, sentinelCredentials: place.credentials };
    } finally {
      client.disconnect();
    }
  }
  return place;
}

/** Connected, or refused with the reason. */
export async function firstConnection(client: Redis | Cluster, place: RedisPlace): Promise<void> {
  let reason: unknown;
  const refused = new Promise<never>((_, reject) => {
    client.on('error', (error: unknown) => {
      reason = error;
      // What is tried again would be refused again, and a database of another number be used instead.
      if (refusalOf(error)) reject(error);
    });
  });
  try {
    await within(FIRST_CONNECTION_MS, Promise.race([client.connect(), refused]));
  } catch (error) {
    const hint = place.tls ? '; if it does not speak TLS, write redis instead of rediss' : '';
    throw new BusError(`the bus cannot be reached: ${textOf(reason ?? error)}${hint}`, { cause: error });
  }
}

export async function within<Answer>(ms: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new BusError('the bus did not answer in time')), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    throw busErrorOf(error);
  } finally {
    clearTimeout(timer);
  }
}

export const REPLICA = 'it is a replica; name the primary, or write redis+sentinel://HOST:PORT,HOST:PORT/NAME';

/** What an operator has to put right at a server that is there. Fixed texts: a server's own name users and commands. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [
    /NOAUTH|WRONGPASS|invalid (username|password)/i,
    'it asks for another password; write redis://:PASSWORD@HOST, special characters as %XX',
  ],
  [/NOPERM/, 'its user lacks a right; docs/operations/scaling.md has the ACL line with all that are needed'],
  [/READONLY/, REPLICA],
  [/No such master/i, 'the sentinels know no primary of that name; SENTINEL MASTERS tells the names'],
  [/unknown command '?`?sentinel/i, 'that is no sentinel; write redis://HOST:PORT'],
  [/accepted by Sentinel/i, 'that is a sentinel; write redis+sentinel://HOST:PORT,HOST:PORT/NAME'],
  [/cluster support disabled/i, 'that is not part of a cluster; write redis://HOST:PORT'],
  [/DB index is out of range/i, 'it has no database of that number; end the bus URL after the host'],
];

/** The text for what the server refused, if its operator can do something about it. */
export function refusalOf(error: unknown): string | undefined {
  const text = messageOf(error);
  return REFUSALS.find(([pattern]) => pattern.test(text))?.[1];
}

function textOf(error: unknown): string {
  const [text = ''] = messageOf(error).split('\n');
  const silent = /^All sentinels are unreachable/.test(text)
    ? 'no sentinel answers; write redis+sentinel://HOST:PORT,HOST:PORT/NAME, by default port 26379'
    : text;
  return refusalOf(error) ?? silent;
}

/** Of a cluster: what the node that was asked last said. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { lastNodeError } = error as { lastNodeError?: unknown };
  return lastNodeError === undefined ? error.message : messageOf(lastNodeError);
}

export function busErrorOf(error: unknown): BusError {
  if (error instanceof BusError) return error;
  const refusal = refusalOf(error);
  const problem = refusal === undefined ? `the bus did not answer: ${textOf(error)}` : `the bus refuses: ${refusal}`;
  return new BusError(problem, { cause: error });
}
