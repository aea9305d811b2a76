/** Nodes without sockets, with more sessions than a test could connect. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import type { Bus } from '@sealwire/bus/port';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { DeviceIdCache } from '@sealwire/wire/device-id-cache';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import {
  decodeNodeMessage,
  encodeNodeMessage,
  NODES_CHANNEL,
  type NodeMessage,
  nodeChannel,
} from '@sealwire/wire/node-messages';
import { AccountDevices } from '../sending/account-devices.ts';
import { DEFAULT_SETTINGS } from '../settings.ts';
import type { Session } from '../sockets/session.ts';
import { Sessions } from '../sockets/sessions.ts';
import { FakeTime } from '../testing/fake-time.ts';
import { turns } from '../testing/test-relay.ts';
import { Announcements } from './announcements.ts';
import { Hub } from './hub.ts';
import { NodeListener } from './node-listener.ts';
import { Peers } from './peers.ts';
import { Places } from './places.ts';
import { Publisher } from './publisher.ts';

const COUNT = 20_000;
const devices = Array.from({ length: COUNT }, (_, i) => parseDeviceId(`sip:user${i}@relay.test;gr=urn:uuid:1`));

const time = new FakeTime();
const listeners: NodeListener[] = [];
afterEach(() => Promise.all(listeners.splice(0).map((listener) => listener.stop())));

function createNode(node: string, bus: Bus) {
  const { now } = time;
  const metrics = createMetrics();
  const sessions = new Sessions();
  const places = new Places();
  const publisher = new Publisher(bus, metrics, now);
  const announcements = new Announcements(node, sessions, places, publisher);
  const hub = new Hub(sessions, places, publisher);
  const accountDevices = new AccountDevices({ list: async () => [] }, DEFAULT_SETTINGS.accountDevicesMs, now);
  const listener = new NodeListener({
    node,
    bus,
    publisher,
    places,
    announcements,
    peers: new Peers(node, Buffer.from(node), DEFAULT_SETTINGS, now, metrics, silentLog),
    hub,
    sessions,
    accountDevices,
    deviceIds: new DeviceIdCache(),
    metrics,
    log: silentLog,
    timers: time,
    settings: DEFAULT_SETTINGS,
  });
  listeners.push(listener);
  return { sessions, announcements, hub, listener, metrics, accountDevices };
}

function sessionOf(device: DeviceId, number: number): Session {
  const unused = { writer: undefined, outbox: undefined, closed: false, accepted: undefined } as never;
  return { ...(unused as object), device, number, lane: 'both', close() {}, pollSoon() {} } as unknown as Session;
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

async function listen(hub: MemoryHub, channel: string): Promise<NodeMessage[]> {
  const heard: NodeMessage[] = [];
  await openMemoryBus(hub).subscribe(channel, (message) => heard.push(decodeNodeMessage(message)));
  return heard;
}

function woken(messages: readonly NodeMessage[]): DeviceId[] {
  return messages.flatMap((message) => (message.kind === 'wake' ? message.devices : []));
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
    for (const { metrics } of [first, second]) expect(await metrics.text()).not.toMatch(/bus_faults_total\{/);
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
    expect(text).not.toMatch(/bus_faults_total\{/);
  });
});
