/** The contract on real servers: `REDIS_URL`, `REDIS_SENTINEL_URL`, `REDIS_CLUSTER_URL`, and the same with `VALKEY`, name them. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Counters } from './counters.ts';
import { countersContract } from './counters-contract.ts';
import { MemoryCounters } from './memory-counters.ts';
import { connectionOf, firstConnection } from './redis-connection.ts';
import { openRedisCounters } from './redis-counters.ts';
import { parseRedisUrl } from './redis-url.ts';
import { onEachServer } from './testing/servers.ts';

// A cluster's clients look for its nodes first.
jest.setTimeout(20_000);

/** What other runs left of a name that another test used is none of ours. */
const run = `${process.pid}-${Date.now()}`;
let tests = 0;

/** Slots and keys of this test alone. */
function ofItsOwn(counters: Counters, prefix: string): Counters {
  const own = (charges: Parameters<Counters['take']>[1]) =>
    charges.map((charge) => ({ ...charge, key: `${prefix}${charge.key}` }));
  return {
    reach: counters.reach,
    take: (slot, charges) => counters.take(prefix + slot, own(charges)),
    look: (slot, charges) => counters.look(prefix + slot, own(charges)),
    giveBack: (slot, charges) => counters.giveBack(prefix + slot, own(charges)),
    close: () => counters.close(),
  };
}

onEachServer('counters contract', (name, url) => {
  countersContract(name, async () => {
    const place = parseRedisUrl(url);
    const client = connectionOf(place, false);
    await firstConnection(client, place);
    const prefix = `${run}-${++tests} `;
    const now = () => 0;
    const open = () => openRedisCounters({ url, now, alone: new MemoryCounters(now), patienceMs: 10_000 });
    const [one, other] = await Promise.all([open(), open()]);
    const nodes = () => ('nodes' in client ? client.nodes('master') : [client]);
    return {
      one: ofItsOwn(one, prefix),
      other: ofItsOwn(other, prefix),
      async pass(ms) {
        for (const node of nodes()) {
          const keys = await node.keys(`sealwire:limit:{${encodeURIComponent(prefix)}*`);
          for (const key of keys) await node.pexpire(key, Math.max(0, (await node.pttl(key)) - ms));
        }
      },
      async close() {
        await Promise.all([one.close(), other.close()]);
        client.disconnect();
      },
    };
  });
});

const REDIS_URL = process.env.REDIS_URL;
const inFrontOfRedis = REDIS_URL === undefined ? describe.skip : describe;

inFrontOfRedis('counters whose Redis (REDIS_URL) does not answer', () => {
  const sockets = new Set<Socket>();
  let server: Server;
  let counters: Counters;
  let clock = 1_000_000;
  const states: string[] = [];

  /** A link that can be cut, and hang. */
  async function begin(): Promise<void> {
    const { port, host } = parseRedisUrl(REDIS_URL!).hosts[0]!;
    server = createServer((near) => {
      const far = connect(port, host);
      for (const socket of [near, far])
        socket.on('error', () => {}).on('close', () => [near, far].map((s) => s.destroy()));
      near.on('data', (bytes) => far.write(bytes));
      far.on('data', (bytes) => near.write(bytes));
      sockets.add(near);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port: own } = server.address() as { port: number };
    const now = () => clock;
    states.length = 0;
    counters = await openRedisCounters({
      url: `redis://127.0.0.1:${own}`,
      now,
      alone: new MemoryCounters(now),
      onShared: (state) => states.push(state),
    });
  }
  afterEach(async () => {
    await counters.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('fail open, down to what one process allows, and at once when the link is cut', async () => {
    await begin();
    const ask = () => counters.take('x', [{ counter: 'cut', key: run, points: 1, limit: 2, windowMs: 60_000 }]);
    await ask();
    server.close();
    for (const socket of sockets) socket.destroy();
    const answers = [await ask(), await ask(), await ask()].map(({ refusedAt }) => refusedAt);
    expect(answers).toEqual([undefined, undefined, 0]);
    expect(states).toEqual(['lost']);
  });

  it('make one request a second wait while it hangs, and that one not for long; shared again when it answers', async () => {
    await begin();
    const ask = () => counters.take('x', [{ counter: 'hang', key: run, points: 1, limit: 1_000, windowMs: 60_000 }]);
    for (const socket of sockets) socket.pause();
    const start = performance.now();
    await ask();
    const first = performance.now() - start;
    for (let i = 0; i < 500; i++) await ask();
    expect(first).toBeLessThan(2_000);
    expect(performance.now() - start - first).toBeLessThan(400);
    expect(states).toEqual(['lost']);
    for (const socket of sockets) socket.resume();
    clock += 1_001;
    expect((await ask()).standings[0]!.taken).toBeLessThan(10);
    expect(states).toEqual(['lost', 'restored']);
  });
});
