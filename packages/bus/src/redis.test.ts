/** The contract on real servers: `REDIS_URL`, `REDIS_SENTINEL_URL`, `REDIS_CLUSTER_URL`, and the same with `VALKEY`, name them. */
import { expect, it, jest } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { busContract } from './contract.ts';
import { openRedisBus } from './redis.ts';
import { parseRedisUrl } from './redis-url.ts';
import { engineAt, onEachServer } from './testing/servers.ts';

// A cluster's clients look for its nodes first.
jest.setTimeout(20_000);

onEachServer('bus contract', (name, url) => {
  it(`${name} leads to that engine`, async () => {
    expect(name.toLowerCase().startsWith(await engineAt(url))).toBe(true);
  });

  busContract(name, {
    reach: 'nodes',
    async open() {
      const [one, other] = await Promise.all([openRedisBus({ url }), openRedisBus({ url })]);
      return { one, other };
    },
    interrupt: () => killListeners(url),
  });
});

/** As an operator would: the server closes the connections that listen. */
async function killListeners(url: string): Promise<void> {
  const { kind, hosts, master } = parseRedisUrl(url);
  if (kind === 'cluster') {
    const cluster = new Cluster([...hosts]);
    await cluster.ping();
    for (const node of cluster.nodes('all')) await node.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await cluster.quit();
    return;
  }
  const client = kind === 'sentinel' ? new Redis({ sentinels: [...hosts], name: master }) : new Redis(hosts[0]!);
  await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await client.quit();
}
