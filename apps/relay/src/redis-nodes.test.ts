/**
 * Two nodes on a Redis of the test's own (skipped aloud without `redis-server`), on a store in memory and on the MongoDB that
 * `MONGODB_URI` names. Time of the nodes stands still unless it is told to pass: what comes without it came by no poll.
 */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { openBus } from '@sealwire/bus/open';
import type { Bus } from '@sealwire/bus/port';
import { hasRedis, type OwnRedis, startRedis } from '@sealwire/bus/testing/own-redis';
import { createAnnouncer } from '@sealwire/service/announce';
import type { Listening } from '@sealwire/service/listen';
import { silentLog } from '@sealwire/service/log';
import { createMetrics, type Metrics } from '@sealwire/service/metrics';
import { listenOnLoopback } from '@sealwire/service/testing/loopback';
import { openMemoryStore } from '@sealwire/store/memory';
import { openMongoStore } from '@sealwire/store/mongo';
import type { Store } from '@sealwire/store/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { encodeNodeMessage, NODES_CHANNEL } from '@sealwire/wire/node-messages';
import { type Link, linkTo } from './testing/link.ts';
import { messageId, type TestClient } from './testing/test-client.ts';
import { openWorld, type World } from './testing/test-relay.ts';

jest.setTimeout(60_000);

const MONGODB_URI = process.env.MONGODB_URI;
const SECOND = 1_000;

let worlds = 0;
let redis: OwnRedis;
let links: Link[];
let buses: Bus[];
let world: World;
const logged: string[] = [];
let alice: DeviceId;
let bob: DeviceId;

/** Two nodes; each has a link to Redis of its own, and so has a third one, or whoever else is on the bus. */
async function begin(store: Store): Promise<void> {
  redis = await startRedis();
  links = await Promise.all([linkTo(redis.port), linkTo(redis.port), linkTo(redis.port)]);
  buses = await Promise.all(links.map(({ port }) => openBus(`redis://127.0.0.1:${port}`)));
  const waiting = [...buses];
  // Other runs use the same database.
  const run = `${process.pid}-${Date.now()}-${++worlds}`;
  logged.length = 0;
  const note = (event: string) => void logged.push(event);
  const log = { ...silentLog, warn: note, error: note };
  world = await openWorld({ nodes: 2, store, seed: run, log, wrapBus: () => waiting.shift()! });
  [alice, bob] = [await world.device(`${run}alice`), await world.device(`${run}bob`)];
}

async function end(): Promise<void> {
  await world.close();
  await Promise.all(buses.map((bus) => bus.close()));
  await Promise.all(links.map((link) => link.close()));
  await redis.stop();
}

async function connected(device: DeviceId, at: number): Promise<TestClient> {
  const client = await world.client(device, at);
  await client.next('caught-up');
  return client;
}

/** Lets the nodes' time pass, a second for each tenth of a real one, until `done` resolves. */
async function passUntil<Answer>(done: Promise<Answer>): Promise<Answer> {
  const timer = setInterval(() => world.time.pass(SECOND), 100);
  try {
    return await done;
  } finally {
    clearInterval(timer);
  }
}

const databases: [string, () => Promise<Store>][] = [['memory', async () => openMemoryStore()]];
if (MONGODB_URI !== undefined) databases.push(['MongoDB', () => mongoStore(MONGODB_URI)]);

if (MONGODB_URI === undefined) it.skip('two nodes on MongoDB: needs MONGODB_URI', () => {});

async function mongoStore(server: string): Promise<Store> {
  const url = new URL(server);
  url.pathname = '/sealwire-test-relay-nodes';
  return (await openMongoStore({ url: url.href, production: false })).store;
}

describe.each(databases)('two nodes on Redis and a store on %s (skipped without redis-server)', (_, openStore) => {
  const test = hasRedis ? it : it.skip;
  afterEach(async () => {
    if (hasRedis) await end();
  });

  test('E07: a removed device’s sockets close within a second on the node that did not hear of it first', async () => {
    await begin(await openStore());
    const [here, there] = [await connected(alice, 0), await connected(bob, 1)];
    await world.store.devices.remove(bob, world.time.ms);
    const start = performance.now();
    await buses[0]!.publish(NODES_CHANNEL, encodeNodeMessage({ kind: 'device-removed', device: bob }));
    expect(await there.closed).toEqual({ code: 4401, reason: 'device-removed' });
    expect(performance.now() - start).toBeLessThan(SECOND);
    await here.settled();
  });

  test('a device that connects to another node takes over within a second, and gets its mail there', async () => {
    await begin(await openStore());
    const [from, before] = [await connected(alice, 0), await connected(bob, 0)];
    const start = performance.now();
    const now = await connected(bob, 1);
    expect(await before.closed).toMatchObject({ code: 4002 });
    expect(performance.now() - start).toBeLessThan(SECOND);
    from.message(messageId(1), [bob], 'to the new one');
    expect(await now.delivered(1)).toEqual(['to the new one']);
    now.ack(1);
    await world.acknowledged(now);
  });

  test('while Redis is away, comes back empty, and listeners are cut: nothing accepted is lost, or comes twice', async () => {
    await begin(await openStore());
    const [from, to] = [await connected(alice, 0), await connected(bob, 1)];
    const texts: string[] = [];
    let number = 0;
    const send = async (text: string) => {
      texts.push(text);
      from.message(messageId(++number), [bob], text);
      await passUntil(from.next('accepted'));
    };
    await send('before');
    await redis.admin.flushall();
    await send('wiped');
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await send('listeners cut');
    await redis.restart();
    await send('killed and started empty');
    links[1]!.cut();
    await send('one node cut off');
    links[1]!.mend();
    await send('mended');
    expect(await passUntil(to.delivered(texts.length))).toEqual(texts);
    await to.settled();
    expect(to.frames.filter(({ kind }) => kind === 'deliver')).toEqual([]);
  });

  test('a device that was removed while its node was cut off is out soon after the link is mended', async () => {
    await begin(await openStore());
    const there = await connected(bob, 1);
    links[1]!.cut();
    await world.store.devices.remove(bob, world.time.ms);
    await buses[0]!.publish(NODES_CHANNEL, encodeNodeMessage({ kind: 'device-removed', device: bob }));
    links[1]!.mend();
    const start = world.time.ms;
    expect(await passUntil(there.closed)).toMatchObject({ code: 4401 });
    // The poll that makes good whatever the bus lost comes after 15 s at the earliest.
    expect(world.time.ms - start).toBeLessThan(15 * SECOND);
  });
});

describe('what servers tell each other over Redis (skipped without redis-server)', () => {
  const test = hasRedis ? it : it.skip;
  afterEach(async () => {
    if (hasRedis) await end();
  });

  test('E07: a device that was removed while the remover’s own link was cut is out within two seconds of its mending, without a poll', async () => {
    await begin(openMemoryStore());
    const there = await connected(bob, 1);
    const announcer = createAnnouncer({ bus: buses[2]!, log: silentLog, metrics: createMetrics() });
    links[2]!.cut();
    await world.store.devices.remove(bob, world.time.ms);
    await announcer.devicesRemoved([bob]);
    const start = performance.now();
    links[2]!.mend();
    expect(await there.closed).toMatchObject({ code: 4401 });
    expect(performance.now() - start).toBeLessThan(2 * SECOND);
    announcer.stop();
  });

  test('K14: of two nodes with one name both logs say so, a metric counts it, and the later one is not ready', async () => {
    await begin(openMemoryStore());
    world.time.ms += 5;
    const twin = await world.startNode({ nodeId: 'node1' });
    for (const { metrics } of [world.node, twin]) await counted(metrics, 'same-name');
    expect(logged.filter((event) => event === 'node-name-taken')).toHaveLength(2);
    await expect(twin.door.ready()).rejects.toThrow('an older node has this NODE_ID');
    await expect(world.node.door.ready()).resolves.toBeUndefined();
  });

  test('K14: of two nodes whose clocks are apart both logs say so, and a metric counts it', async () => {
    await begin(openMemoryStore());
    await world.startNode({ now: () => world.time.ms + 5 * 60 * SECOND });
    for (const { metrics } of world.nodes) await passUntil(counted(metrics, 'clock-apart'));
    expect(logged).toContain('node-clock-apart');
  });

  async function counted(metrics: Metrics, fault: string): Promise<void> {
    const some = new RegExp(`^sealwire_relay_node_faults_total\\{fault="${fault}"\\} [1-9]`, 'm');
    for (let tries = 0; !some.test(await metrics.text()); tries++) {
      if (tries === 200) throw new Error(`never ${some}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});

describe('/readyz of a relay (skipped without redis-server)', () => {
  let listening: Listening;
  afterEach(async () => {
    if (!hasRedis) return;
    await listening?.close();
    await end();
  });

  /** Asks each second of the nodes' time until it answers so. */
  async function probe(): Promise<(status: number) => Promise<void>> {
    const { door, metrics } = world.nodes[1]!;
    listening = await listenOnLoopback({ server: 'relay', door, log: silentLog, metrics, now: world.time.now });
    return async (status) => {
      for (let tries = 0; ; tries++) {
        world.time.pass(SECOND);
        const answer = await fetch(`${listening.url}/readyz`);
        if (answer.status === status) return;
        if (tries === 100) throw new Error(`still ${answer.status}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
  }

  (hasRedis ? it : it.skip)('is 503 while its link to Redis is cut, and 200 after', async () => {
    await begin(openMemoryStore());
    const until = await probe();
    await until(200);
    links[1]!.cut();
    await until(503);
    links[1]!.mend();
    await until(200);
  });

  const both = hasRedis && MONGODB_URI !== undefined;
  (both ? it : it.skip)('is 503 while its link to the database (MONGODB_URI) is cut, and 200 after', async () => {
    const server = new URL(MONGODB_URI!);
    const link = await linkTo(Number(server.port || 27_017), server.hostname);
    await begin(await mongoStore(`mongodb://127.0.0.1:${link.port}/?directConnection=true`));
    const until = await probe();
    try {
      await until(200);
      link.cut();
      await until(503);
      link.mend();
      await until(200);
    } finally {
      await link.close();
    }
  });
});
