import { afterEach, describe, expect, it } from '@jest/globals';
import { openMemoryBus } from '@sealwire/bus/memory';
import type { Bus } from '@sealwire/bus/port';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Store } from '@sealwire/store/port';
import { encodeMailOwn, encodeMailShared } from '@sealwire/wire/frame-codec';
import type { DeviceId } from '@sealwire/wire/ids';
import { decodeNodeMessage, encodeNodeMessage, NODES_CHANNEL, nodeChannel } from '@sealwire/wire/node-messages';
import { DEFAULT_SETTINGS } from './settings.ts';
import { messageId, TestClient } from './testing/test-client.ts';
import { losesEverything, openWorld, turns, type World, type WorldOptions } from './testing/test-relay.ts';
import { TICK_MS } from './time/timer-wheel.ts';

let world: World;
let alice: DeviceId;
let bob: DeviceId;

async function begin(options: WorldOptions = {}): Promise<void> {
  world = await openWorld({ nodes: 2, ...options });
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
}
afterEach(() => world.close());

async function connectBoth(): Promise<[TestClient, TestClient]> {
  const [from, to] = [await world.client(alice, 0), await world.client(bob, 1)];
  await to.next('caught-up');
  return [from, to];
}

describe('clocks', () => {
  const HOUR = 3_600_000;

  it.each([
    ['an hour', HOUR],
    ['three days', 72 * HOUR],
    ['ten years', 87_600 * HOUR],
  ])(
    'one that was %s ahead keeps nobody out when it is right again: who connected last is the newest',
    async (_, ms) => {
      await begin();
      world.time.ms += ms;
      const before = await world.client(bob, 0);
      await before.next('caught-up');
      world.time.ms -= ms;
      // As after a restart: what the node before knew of its numbers is gone.
      await world.startNode();
      const now = await world.client(bob, 2);
      await now.next('caught-up');
      expect(await before.closed).toMatchObject({ code: 4002 });
      const from = await world.client(alice, 1);
      from.message(messageId(1), [bob], 'hello');
      expect(await now.delivered(1)).toEqual(['hello']);
      now.ack(1);
      await world.acknowledged(now);
      expect(await world.store.mailboxes.usage(bob)).toEqual({ messages: 0, bytes: 0 });
      expect(now.ws.readyState).toBe(now.ws.OPEN);
    },
  );
});

describe('two nodes', () => {
  it('a message goes from one to the other, in order and without a poll', async () => {
    await begin();
    const [from, to] = await connectBoth();
    for (let i = 1; i <= 300; i++) {
      from.message(messageId(i), [bob], String(i));
      if (i % 50 === 0) to.ack((await deliverTo(to, 50)).at(-1)!);
    }
  });

  it('a node that starts later learns from the others who is where', async () => {
    await begin();
    const to = await world.client(bob, 0);
    await to.next('caught-up');
    await world.startNode();
    await turns(4);
    const heard: number[] = [];
    const spy = openMemoryBus(world.hub);
    await spy.subscribe(NODES_CHANNEL, () => heard.push(1));
    const from = await world.client(alice, 2);
    heard.length = 0;
    from.message(messageId(1), [bob], 'x');
    expect(await to.delivered(1)).toEqual(['x']);
    // The wake-up call went to the one node, not to all.
    expect(heard).toEqual([]);
  });

  it('K14: one that is started under the name of another is not ready, and the other one is', async () => {
    await begin();
    world.time.ms += 5;
    const twin = await world.startNode({ nodeId: 'node1' });
    await turns(4);
    await expect(twin.door.ready()).rejects.toThrow('an older node has this NODE_ID');
    await expect(world.node.door.ready()).resolves.toBeUndefined();
  });

  it('A22: an ephemeral message crosses nodes when its recipient is there, and is nowhere else', async () => {
    await begin();
    const [from, to] = await connectBoth();
    const part = { device: bob, content: new Uint8Array([1]) };
    from.send({ kind: 'ephemeral', body: new Uint8Array([2]), parts: [part] });
    expect(await to.next('ephemeral-deliver')).toMatchObject({
      sender: alice,
      sentAt: world.time.ms,
      body: new Uint8Array([2]),
    });
    await to.end();
    await turns(4);
    from.send({ kind: 'ephemeral', body: new Uint8Array([3]), parts: [part] });
    await from.settled();
    expect(await world.store.mailboxes.usage(bob)).toEqual({ messages: 0, bytes: 0 });
    const again = await world.client(bob, 1);
    await again.next('caught-up');
    await again.settled();
    expect(again.frames).toEqual([]);
  });

  it('E07: a device that is removed while its session is claimed is told so, and not that another connection replaced it', async () => {
    const store = openMemoryStore();
    let go = () => {};
    const removed = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { mailboxes } = store;
    const slow: Store = {
      ...store,
      mailboxes: {
        ...mailboxes,
        async claimSession(device, number) {
          await removed;
          return mailboxes.claimSession(device, number);
        },
      },
    };
    await begin({ store: slow });
    const client = await world.client(bob, 0);
    await store.devices.remove(bob, world.time.ms);
    go();
    expect(await client.closed).toEqual({ code: 4401, reason: 'device-removed' });
  });

  it('E07: a removed device that acknowledges before anybody told this node is told so, and not that another connection replaced it', async () => {
    await begin();
    const [from, to] = await connectBoth();
    from.message(messageId(1), [bob], 'hello');
    expect(await to.delivered(1)).toEqual(['hello']);
    await world.store.devices.remove(bob, world.time.ms);
    to.ack(1);
    await world.acknowledged(to);
    expect(await to.closed).toEqual({ code: 4401, reason: 'device-removed' });
  });

  it('E07: a removed device’s sockets close on every node, within a second', async () => {
    await begin();
    const [sibling] = await connectBoth();
    const bob2 = await world.device('bob', 2);
    const second = await world.client(bob2, 0);
    await world.store.devices.remove(bob2, world.time.ms);
    const start = performance.now();
    await openMemoryBus(world.hub).publish(NODES_CHANNEL, encodeNodeMessage({ kind: 'device-removed', device: bob2 }));
    expect(await second.closed).toEqual({ code: 4401, reason: 'device-removed' });
    expect(performance.now() - start).toBeLessThan(1_000);
    await sibling.settled();
  });

  it.each(['both', 'contact'] as const)(
    'E07: a device removed while its %s socket logs in does not get in',
    async (lane) => {
      const inner = openMemoryStore();
      let meanwhile: (() => Promise<void>) | undefined;
      const find: Store['devices']['find'] = async (device) => {
        const found = await inner.devices.find(device);
        await meanwhile?.();
        return found;
      };
      await begin({ store: { ...inner, devices: { ...inner.devices, find } } });
      meanwhile = async () => {
        meanwhile = undefined;
        await inner.devices.remove(bob, world.time.ms);
        await openMemoryBus(world.hub).publish(
          NODES_CHANNEL,
          encodeNodeMessage({ kind: 'device-removed', device: bob }),
        );
        await turns(2);
      };
      const client = await TestClient.connect(world.node.url);
      client.send({ kind: 'hello', token: await world.token(bob), lane, client: 'test' });
      expect(await client.closed).toEqual({ code: 4401, reason: 'device-removed' });
      expect(client.frames).toEqual([]);
    },
  );
});

async function deliverTo(client: TestClient, count: number): Promise<number[]> {
  const seqs: number[] = [];
  while (seqs.length < count) seqs.push((await client.next('deliver')).seq);
  expect(seqs).toEqual(Array.from({ length: count }, (_, i) => seqs[0]! + i));
  return seqs;
}

/** What is said on the bus from now on. */
async function listen(): Promise<{ wakesToAll: DeviceId[]; calls: number }> {
  const spy = openMemoryBus(world.hub);
  const heard = { wakesToAll: [] as DeviceId[], calls: 0 };
  await spy.subscribe(NODES_CHANNEL, (bytes) => {
    const message = decodeNodeMessage(bytes);
    if (message.kind === 'wake') heard.wakesToAll.push(...message.devices);
    if (message.kind === 'wake' || message.kind === 'ephemeral') heard.calls++;
  });
  for (let i = 1; i <= world.nodes.length; i++) await spy.subscribe(nodeChannel(`node${i}`), () => heard.calls++);
  return heard;
}

/** Lets time pass in small steps, so that what the bus carries is heard in time. */
async function passSlowly(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    world.time.pass(TICK_MS);
    await turns(4);
  }
}

describe('a device that is nowhere', () => {
  let next = 1;
  async function say(from: TestClient, ...texts: string[]): Promise<void> {
    for (const text of texts) {
      from.message(messageId(next++), [bob], text);
      await from.next('accepted');
    }
    await turns(4);
  }

  it('wakes nobody after all nodes were asked once; where it appears it is reached at once', async () => {
    await begin({ nodes: 3 });
    const from = await world.client(alice, 0);
    const heard = await listen();
    await say(from, '1', '2', '3');
    const part = { device: bob, content: new Uint8Array([1]) };
    from.send({ kind: 'ephemeral', body: new Uint8Array([2]), parts: [part] });
    await from.settled();
    await turns(4);
    expect(heard).toEqual({ wakesToAll: [bob], calls: 1 });

    const to = await world.client(bob, 2);
    expect(await to.delivered(3)).toEqual(['1', '2', '3']);
    await say(from, '4');
    expect(await to.delivered(1)).toEqual(['4']);
    to.ack(4);
    await world.acknowledged(to);
    await to.end();
    await turns(4);

    const calls = heard.calls;
    await say(from, '5', '6');
    expect(heard).toEqual({ wakesToAll: [bob], calls });
    const again = await world.client(bob, 1);
    expect(await again.delivered(2)).toEqual(['5', '6']);
    await say(from, '7');
    expect(await again.delivered(1)).toEqual(['7']);
    expect(heard.wakesToAll).toEqual([bob]);
  });

  it('is woken for what was sent between its look into the mailbox and the news of its login', async () => {
    let held: (() => void)[] | undefined;
    const holding = (bus: Bus): Bus => ({
      ...bus,
      async publish(channel, message) {
        if (held && decodeNodeMessage(message).kind === 'sessions-opened')
          await new Promise<void>((resolve) => held?.push(resolve));
        await bus.publish(channel, message);
      },
    });
    await begin({ wrapBus: holding });
    const from = await world.client(alice, 0);
    await say(from, '1');
    held = [];
    const to = await world.client(bob, 1);
    expect(await to.delivered(1)).toEqual(['1']);
    await to.next('caught-up');
    await say(from, '2');
    await to.settled();
    expect(to.frames).toEqual([]);
    const all = held;
    held = undefined;
    for (const release of all) release();
    expect(await to.delivered(1)).toEqual(['2']);
  });

  it('announces itself again when its poll finds what nobody told it of', async () => {
    let loses = false;
    const losing = (bus: Bus): Bus => ({
      ...bus,
      async publish(channel, message) {
        if (!loses) await bus.publish(channel, message);
      },
    });
    await begin({ wrapBus: losing });
    const from = await world.client(alice, 0);
    await say(from, '1');
    loses = true;
    const to = await world.client(bob, 1);
    expect(await to.delivered(1)).toEqual(['1']);
    await to.next('caught-up');
    await turns(4);
    loses = false;
    await say(from, '2');
    await to.settled();
    expect(to.frames).toEqual([]);
    await passSlowly(DEFAULT_SETTINGS.pollToMs);
    expect(await to.delivered(1)).toEqual(['2']);
    await turns(4);
    await say(from, '3');
    expect(await to.delivered(1)).toEqual(['3']);
  });

  it('is asked for again when the question was lost', async () => {
    let refuses = false;
    const refusing = (bus: Bus): Bus => ({
      ...bus,
      publish: (channel, message) => (refuses ? Promise.reject(new Error('test')) : bus.publish(channel, message)),
    });
    await begin({ wrapBus: refusing });
    const from = await world.client(alice, 0);
    const heard = await listen();
    refuses = true;
    await say(from, '1');
    refuses = false;
    await say(from, '2', '3');
    expect(heard).toEqual({ wakesToAll: [bob], calls: 1 });
    expect(await world.node.metrics.text()).toContain('sealwire_bus_faults_total{fault="refused"} 1');
  });
});

describe('an interruption of the bus', () => {
  it('B02: what came meanwhile is delivered soon after, and everybody is found where they are now', async () => {
    await begin({ nodes: 3 });
    const carol = await world.device('carol');
    const [from, to] = await connectBoth();
    const moved = await world.client(carol, 1);
    await moved.next('caught-up');
    await turns(4);

    const mend = world.hub.cut();
    from.message(messageId(1), [bob, carol], '1');
    await from.next('accepted');
    await moved.end();
    const there = await world.client(carol, 2);
    expect(await there.delivered(1)).toEqual(['1']);
    from.message(messageId(2), [bob, carol], '2');
    await from.next('accepted');
    await Promise.all([to.settled(), there.settled()]);
    expect(to.frames).toEqual([]);

    mend();
    await turns(4);
    await passSlowly(2_500);
    expect(await to.delivered(2)).toEqual(['1', '2']);
    expect(await there.delivered(1)).toEqual(['2']);
    const heard = await listen();
    from.message(messageId(3), [bob, carol], '3');
    expect(await to.delivered(1)).toEqual(['3']);
    expect(await there.delivered(1)).toEqual(['3']);
    expect(heard.wakesToAll).toEqual([]);
    for (const { metrics } of world.nodes)
      expect(await metrics.text()).toContain('sealwire_bus_faults_total{fault="interrupted"} 1');
  });

  it('B02: that comes again and again puts no look into a mailbox off', async () => {
    await begin();
    const from = await world.client(alice, 0);
    const devices = await Promise.all(Array.from({ length: 12 }, (_, i) => world.device(`many${i}`)));
    const clients = await Promise.all(devices.map((device) => world.client(device, 1)));
    for (const client of clients) await client.next('caught-up');
    await turns(4);
    const mends = [world.hub.cut()];
    from.message(messageId(1), devices, '1');
    await from.next('accepted');
    for (let passed = 0; passed < 2_250; passed += TICK_MS) {
      mends.push(world.hub.cut());
      mends.shift()!();
      await passSlowly(TICK_MS);
    }
    for (const client of clients) await client.settled();
    expect(clients.map(({ frames }) => frames.filter(({ kind }) => kind === 'deliver').length)).toEqual(
      devices.map(() => 1),
    );
    mends[0]!();
  });
});

describe('a node that alone was cut from the bus', () => {
  it('calls whom it could not call, as soon as it hears where they are: they need not wait for their poll', async () => {
    let isCut = false;
    const interruptions: (() => void)[] = [];
    let nodes = 0;
    const cutAlone = (bus: Bus): Bus => {
      if (nodes++ > 0) return bus;
      return {
        ...bus,
        publish: (channel, message) => (isCut ? Promise.reject(new Error('test')) : bus.publish(channel, message)),
        subscribe: (name, handler, onInterruption) => {
          if (onInterruption) interruptions.push(onInterruption);
          return bus.subscribe(name, (message) => isCut || handler(message), onInterruption);
        },
      };
    };
    await begin({ wrapBus: cutAlone });
    const from = await world.client(alice, 0);
    isCut = true;
    const to = await world.client(bob, 1);
    await to.next('caught-up');
    from.message(messageId(1), [bob], '1');
    await from.next('accepted');
    await to.settled();
    expect(to.frames).toEqual([]);

    isCut = false;
    for (const interrupted of interruptions) interrupted();
    expect(await to.delivered(1)).toEqual(['1']);
  });
});

describe('a bus that loses everything', () => {
  it('A14, B01: messages are delivered by the poll, in order, none lost', async () => {
    await begin({ wrapBus: losesEverything });
    const [from, to] = await connectBoth();
    for (let i = 1; i <= 5; i++) from.message(messageId(i), [bob], String(i));
    for (let accepted = 0; accepted < 5; ) accepted += (await from.next('accepted')).ids.length;
    await to.settled();
    expect(to.frames).toEqual([]);
    world.time.pass(DEFAULT_SETTINGS.pollToMs);
    expect(await to.delivered(5)).toEqual(['1', '2', '3', '4', '5']);
  });

  it('a removed device is found by the poll', async () => {
    await begin({ wrapBus: losesEverything });
    const [, to] = await connectBoth();
    await world.store.devices.remove(bob, world.time.ms);
    world.time.pass(DEFAULT_SETTINGS.pollToMs);
    expect((await to.closed).code).toBe(4401);
  });

  it('K11: is not ready, and the sockets live on', async () => {
    await begin({ wrapBus: losesEverything });
    const [from] = await connectBoth();
    const ready = world.node.door.ready();
    world.time.pass(DEFAULT_SETTINGS.probeWithinMs);
    await expect(ready).rejects.toThrow('lost a message');
    await from.settled();
  });
});

describe('a bus that misbehaves', () => {
  it('B09: garbage on the channels is dropped and counted', async () => {
    await begin();
    const [from, to] = await connectBoth();
    const stranger = openMemoryBus(world.hub);
    for (const channel of [NODES_CHANNEL, nodeChannel('node1')])
      for (const bytes of [[], [0xff], [0x0a, 0x7f, 1], [0x08, 1]])
        await stranger.publish(channel, Uint8Array.from(bytes));
    await turns(4);
    expect(await world.node.metrics.text()).toContain('sealwire_bus_faults_total{fault="undecodable"} 8');
    from.message(messageId(1), [bob], 'x');
    expect(await to.delivered(1)).toEqual(['x']);
  });

  it('B05: sends are accepted while nothing can be published', async () => {
    const broken = (bus: Bus): Bus => ({ ...bus, publish: () => Promise.reject(new Error('test')) });
    await begin({ wrapBus: broken });
    const from = await world.client(alice, 0);
    from.message(messageId(1), [bob], 'x');
    await from.next('accepted');
    await expect(world.node.door.ready()).rejects.toThrow('test');
  });

  it('a subscription that has died is made anew, and the mailboxes are read', async () => {
    let deaf = false;
    const dying = (bus: Bus): Bus => ({
      ...bus,
      subscribe: (channel, handler) => {
        let hears = true;
        deaf = false;
        const check = (message: Uint8Array) => {
          if (deaf) hears = false;
          if (hears) handler(message);
        };
        return bus.subscribe(channel, check);
      },
    });
    await begin({ nodes: 1, wrapBus: dying });
    const to = await world.client(bob);
    await to.next('caught-up');
    await turns(4);
    deaf = true;
    // A message that another node stored while we were deaf.
    const mail = { sender: alice, id: messageId(9), digest: new Uint8Array(32), at: world.time.ms };
    const bytes = { body: new Uint8Array([1]), content: new Uint8Array([2]) };
    const shared = encodeMailShared({ ...mail, ...bytes, acceptedAt: mail.at });
    const recipients = [{ device: bob, own: encodeMailOwn(bytes.content) }];
    await world.store.mailboxes.append([{ ...mail, shared, recipients }], DEFAULT_SETTINGS.mailbox);
    world.time.pass(TICK_MS + DEFAULT_SETTINGS.probeWithinMs);
    await turns(4);
    world.time.pass(2_500);
    expect((await to.next('deliver')).seq).toBe(1);
    await expect(world.node.door.ready()).resolves.toBeUndefined();
  });
});

describe('the end of a node', () => {
  it('K04: drains in paced batches, with a code that brings the clients back elsewhere; new sockets are refused', async () => {
    await begin({ nodes: 1, settings: { drainPerSecond: 20 } });
    const devices = await Promise.all(Array.from({ length: 6 }, (_, i) => world.device(`many${i}`)));
    const clients = await Promise.all(devices.map((device) => world.client(device)));
    let closed = 0;
    for (const client of clients)
      void client.closed.then(({ code }) => {
        closed += code === 4000 ? 1 : 0;
      });
    const drained = world.node.door.drain();
    await expect(world.client(alice)).rejects.toThrow('503');
    expect(closed).toBe(2);
    world.time.pass(100);
    await turns(2);
    world.time.pass(100);
    await drained;
    await Promise.all(clients.map((client) => client.closed));
    expect(closed).toBe(6);
  });

  it('what was sent before the end is answered or durable, and close is idempotent', async () => {
    await begin({ nodes: 1 });
    const from = await world.client(alice);
    from.message(messageId(1), [bob], 'x');
    await from.settled();
    await Promise.all([world.node.door.close(), world.node.door.close()]);
    expect((await from.closed).code).toBe(1012);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 1 });
  });
});
