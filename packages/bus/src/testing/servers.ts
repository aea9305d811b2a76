/** The servers that the contract suites run on, each named by a variable of the environment; what is missing is skipped, aloud. */
import { describe, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { connectionOf, firstConnection } from '../redis-connection.ts';
import { parseRedisUrl } from '../redis-url.ts';

const KINDS = ['URL', 'SENTINEL_URL', 'CLUSTER_URL'] as const;
const ENGINES = ['redis', 'valkey'] as const;

/** Registers `suite` for each server that is there, and that it is the engine that its variable says. */
export function onEachServer(title: string, suite: (name: string, url: string) => void): void {
  for (const engine of ENGINES) {
    for (const kind of KINDS) {
      const name = `${engine.toUpperCase()}_${kind}`;
      const url = process.env[name];
      if (url !== undefined) {
        suite(name, url);
        continue;
      }
      describe(`${title}: ${name}`, () => {
        it.skip(`needs ${name}: a server for tests`, () => {});
      });
    }
  }
}

/** `redis` or `valkey`: what the server at `url` says that it is. */
export async function engineAt(url: string): Promise<string> {
  const place = parseRedisUrl(url);
  const client = connectionOf(place, false);
  try {
    await firstConnection(client, place);
    const node = client instanceof Redis ? client : client.nodes('master')[0]!;
    // Redis does not name itself.
    return /server_name:(\w+)/.exec(await node.info('server'))?.[1] ?? 'redis';
  } finally {
    client.disconnect();
  }
}
