/** Connections to Redis and Valkey as a URL names them, and how long anybody waits for one. */
import { systemRandom } from '@sealwire/crypto/random';
import { Cluster, Redis } from 'ioredis';
import { BusError } from './port.ts';
import type { RedisPlace } from './redis-url.ts';

/** A publication, and a first subscription, is confirmed or refused within this. */
export const COMMAND_MS = 3_000;
const FIRST_CONNECTION_MS = 5_000;
const MOST_WAIT_MS = 500;

/** Longer with each attempt, and never the same for two that lost their connections together. */
export function waitMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 8), MOST_WAIT_MS) * (0.5 + systemRandom(1)[0]! / 510);
}

export function connectionOf(place: RedisPlace, isPatient: boolean): Redis | Cluster {
  const common = {
    lazyConnect: true,
    // `renew` subscribes, so that it knows when that is confirmed.
    autoResubscribe: false,
    commandTimeout: COMMAND_MS,
    connectTimeout: COMMAND_MS,
    enableOfflineQueue: isPatient,
    maxRetriesPerRequest: isPatient ? null : 0,
    ...place.credentials,
    ...(place.tls && { tls: {} }),
  };
  const { enableOfflineQueue, ...ofNodes } = common;
  switch (place.kind) {
    case 'server':
      return new Redis({ ...common, ...place.hosts[0]!, db: place.db, retryStrategy: waitMs });
    case 'sentinel':
      return new Redis({
        ...common,
        name: place.master,
        sentinels: [...place.hosts],
        failoverDetector: true,
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

/** Connected, or refused with the reason. */
export async function firstConnection(client: Redis | Cluster): Promise<void> {
  let reason: unknown;
  client.on('error', (error: unknown) => {
    reason = error;
  });
  try {
    await within(FIRST_CONNECTION_MS, client.connect());
  } catch (error) {
    throw new BusError(`the bus cannot be reached: ${textOf(reason ?? error)}`, { cause: error });
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

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return refusalOf(error) ?? text.split('\n')[0] ?? '';
}

/** What its operator has to put right on a server that is there: a fixed text, since theirs name users. Undefined: nothing of that. */
export function refusalOf(error: unknown): string | undefined {
  // ioredis keeps what the last attempt ran into beside what became of it.
  const { message = String(error), lastNodeError } = (error ?? {}) as { message?: string; lastNodeError?: unknown };
  if (/NOAUTH|WRONGPASS|invalid (username|password)/i.test(message))
    return 'it asks for another password; write redis://:PASSWORD@HOST, special characters as %XX';
  if (/NOPERM|no permissions/i.test(message))
    return 'its user lacks a right; docs/operations/scaling.md has the ACL line with all that are needed';
  if (/^READONLY/.test(message)) return 'it is a replica, which takes no writes; name the primary';
  return lastNodeError === undefined ? undefined : refusalOf(lastNodeError);
}

export function busErrorOf(error: unknown): BusError {
  return error instanceof BusError ? error : new BusError(`the bus did not answer: ${textOf(error)}`, { cause: error });
}
