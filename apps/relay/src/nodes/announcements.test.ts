/** Nodes without sockets, with more sessions than a test could connect. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import type { Bus } from '@sealwire/bus/port';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { encodeNodeMessage, NODES_CHANNEL, nodeChannel } from '@sealwire/wire/node-messages';
import { createNode as createNodeAt, listen, sessionOf, woken } from '../testing/bare-nodes.ts';
import { FakeTime } from '../testing/fake-time.ts';
import { turns } from '../testing/test-relay.ts';
import type { NodeListener } from './node-listener.ts';

const COUNT = 20_000;
const devices = Array.from({ length: COUNT }, (_, i) => parseDeviceId(`sip:user${i}@relay.test;gr=urn:uuid:1`));

const time = new FakeTime();
const listeners: NodeListener[] = [];
afterEach(() => Promise.all(listeners.splice(0).map((listener) => listener.stop())));

function createNode(name: string, bus: Bus) {
  const node = createNodeAt(name, bus, time);
  listeners.push(node.listener);
  return node;
}

/** One publication at a time takes a few turns. */
function slow(bus: Bus): Bus {
  return {
    ...bus,
    async publish(channel, message) {
      await turns(2);
      await bus.publish(channel, message);
    },
  };
}

/** A node's connection that can be cut while those of the others live on. */
function cuttable(bus: Bus) {
  let isCut = false;
  const tell: (() => void)[] = [];
  return {
    bus: {
      ...bus,
      async publish(channel, message) {
        if (!isCut) await bus.publish(channel, message);
      },
      subscribe(channel, handler, onInterruption = () => {}) {
        tell.push(onInterruption);
        return bus.subscribe(channel, (message) => {
          if (!isCut) handler(message);
        });
      },
    } satisfies Bus,
    cut() {
      isCut = true;
    },
    mend() {
      isCut = false;
      for (const one of tell) one();
    },
  };
}

describe.each([
  ['a fast', (bus: Bus) => bus],
  ['a slow', slow],
])('%s bus', (_speed, wrap) => {
  it('B08: of 20,000 sessions a node that starts learns all, and their end too', async () => {
    const bus = new MemoryHub();
    const toAll = await listen(bus, NODES_CHANNEL);
    const toFirst = await listen(bus, nodeChannel('first'));
    const first = createNode('first', wrap(openMemoryBus(bus)));
    await first.listener.start();
    const sessions = devices.map((device, i) => sessionOf(device, i + 1));
    for (const session of sessions) first.sessions.open(session);

    const second = createNode('second', wrap(openMemoryBus(bus)));
    await second.listener.start();
    await turns(100);
    toAll.length = 0;
    for (const device of devices) second.hub.wake(device);
    second.hub.flush();
    await turns(100);
    expect(new Set(woken(toFirst)).size).toBe(COUNT);
    expect(toAll).toEqual([]);

    for (const session of sessions) first.announcements.closed(session);
    await first.announcements.idle();
    await turns(2);
    expect(toAll).toHaveLength(COUNT / 1_000);
    toAll.length = 0;
    toFirst.length = 0;
    for (const device of devices) second.hub.wake(device);
    second.hub.flush();
    await turns(100);
    expect([toAll, toFirst]).toEqual([[], []]);
    for (const { metrics } of [first, second]) expect(await metrics.text()).not.toMatch(/bus_faults_total\{.* [1-9]/);
  });
});

describe('announcements', () => {
  it('tell only the last state of what changed while a list was under way', async () => {
    const bus = new MemoryHub();
    const toAll = await listen(bus, NODES_CHANNEL);
    const { announcements } = createNode('first', slow(openMemoryBus(bus)));
    const [a, b, c] = devices as [DeviceId, DeviceId, DeviceId];
    announcements.opened(sessionOf(a, 1));
    await turns(1);
    announcements.opened(sessionOf(b, 2));
    announcements.closed(sessionOf(b, 2));
    announcements.closed(sessionOf(c, 3));
    announcements.opened(sessionOf(c, 4));
    await announcements.idle();
    await turns(2);
    const list = (device: DeviceId, session: number) => ({ node: 'first', sessions: [{ device, session }] });
    expect(toAll).toEqual([
      { kind: 'sessions-opened', ...list(a, 1) },
      { kind: 'sessions-opened', ...list(c, 4) },
      { kind: 'sessions-closed', ...list(b, 2) },
    ]);
  });
});

describe('a node that was cut off alone', () => {
  it('B02: tells the others who is here, and believes nothing that it knew before', async () => {
    const bus = new MemoryHub();
    const link = cuttable(openMemoryBus(bus));
    const first = createNode('first', link.bus);
    const second = createNode('second', openMemoryBus(bus));
    await first.listener.start();
    await second.listener.start();
    const [arrives, leaves] = devices as [DeviceId, DeviceId];
    const left = sessionOf(leaves, 1);
    second.sessions.open(left);
    second.announcements.opened(left);
    second.hub.wake(arrives);
    second.hub.flush();
    await turns(4);

    link.cut();
    const arrived = sessionOf(arrives, 2);
    first.sessions.open(arrived);
    first.announcements.opened(arrived);
    second.sessions.remove(left);
    second.announcements.closed(left);
    await turns(4);
    // Withheld: `second` believes that it is nowhere.
    second.hub.wake(arrives);
    second.hub.flush();

    const toFirst = await listen(bus, nodeChannel('first'));
    const toAll = await listen(bus, NODES_CHANNEL);
    link.mend();
    await turns(6);
    expect(woken(toFirst)).toEqual([arrives]);
    expect(toAll.filter(({ kind }) => kind === 'who-is-there')).toHaveLength(1);
    first.hub.wake(leaves);
    first.hub.flush();
    await turns(4);
    expect(woken(toAll)).toEqual([leaves]);
  });
});

describe('what nodes hear', () => {
  it('a fault of ours is not taken for a message that cannot be decoded', async () => {
    const bus = new MemoryHub();
    const { accountDevices, listener, metrics } = createNode('first', openMemoryBus(bus));
    accountDevices.forget = () => {
      throw new Error('test');
    };
    await listener.start();
    const message = encodeNodeMessage({ kind: 'device-removed', device: devices[0]! });
    await openMemoryBus(bus).publish(NODES_CHANNEL, message);
    await turns(2);
    const text = await metrics.text();
    expect(text).toContain('sealwire_unhandled_errors_total{where="bus-message"} 1');
    expect(text).not.toMatch(/bus_faults_total\{.* [1-9]/);
  });
});
