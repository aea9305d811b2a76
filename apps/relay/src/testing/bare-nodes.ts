/** Nodes without sockets, with more sessions than a test could connect, on links whose two directions break apart. */
import { type MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import { type Bus, BusError } from '@sealwire/bus/port';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { DeviceIdCache } from '@sealwire/wire/device-id-cache';
import type { Lane } from '@sealwire/wire/frames';
import type { DeviceId } from '@sealwire/wire/ids';
import { decodeNodeMessage, type NodeMessage } from '@sealwire/wire/node-messages';
import { Announcements } from '../nodes/announcements.ts';
import { Hub } from '../nodes/hub.ts';
import { NodeListener } from '../nodes/node-listener.ts';
import { Peers } from '../nodes/peers.ts';
import { Places } from '../nodes/places.ts';
import { Publisher } from '../nodes/publisher.ts';
import { Repeats } from '../nodes/repeats.ts';
import { Presence } from '../presence/presence.ts';
import { AccountDevices } from '../sending/account-devices.ts';
import { DEFAULT_SETTINGS } from '../settings.ts';
import type { Session } from '../sockets/session.ts';
import { Sessions } from '../sockets/sessions.ts';
import type { FakeTime } from './fake-time.ts';

export function createNode(node: string, bus: Bus, time: FakeTime) {
  const { now } = time;
  const metrics = createMetrics();
  const sessions = new Sessions();
  const places = new Places();
  const publisher = new Publisher(bus, metrics, now);
  const repeats = new Repeats(time);
  const announcements = new Announcements(node, sessions, places, publisher, repeats);
  const hub = new Hub(sessions, places, publisher, repeats);
  const accountDevices = new AccountDevices(
    {
      devices: { list: async () => [] },
      accountRecords: { read: async () => [] },
      operatorRecords: { read: async () => [] },
    },
    DEFAULT_SETTINGS.accountDevicesMs,
    now,
  );
  const isReceiving = (device: DeviceId) => sessions.receiver(device) !== undefined;
  const presence = new Presence({ node, publisher, settings: DEFAULT_SETTINGS, now, metrics, isReceiving });
  const listener = new NodeListener({
    node,
    bus,
    publisher,
    places,
    announcements,
    peers: new Peers(node, Buffer.from(node), DEFAULT_SETTINGS, now, metrics, silentLog),
    hub,
    presence,
    notices: { refresh: async () => {} },
    sessions,
    accountDevices,
    deviceIds: new DeviceIdCache(),
    metrics,
    log: silentLog,
    timers: time,
    settings: DEFAULT_SETTINGS,
  });
  return { sessions, announcements, hub, listener, repeats, metrics, accountDevices, presence };
}

export interface BareSession extends Session {
  /** How often its mailbox was looked into: soon, or by a call. */
  looks: number;
}

export function sessionOf(device: DeviceId, number: number, lane: Lane = 'both'): BareSession {
  const session = {
    device,
    number,
    lane,
    closed: false,
    accepted: undefined,
    looks: 0,
    writer: undefined as never,
    outbox: { wake: () => void session.looks++ } as never,
    submitted() {},
    settled() {},
    close() {},
    pollSoon: () => void session.looks++,
  };
  return session;
}

/** A node's connections, as an adapter has them: what is published is refused, what is to be heard is lost, each for itself. */
export function breakable(bus: Bus) {
  const tell: (() => void)[] = [];
  const state = { refuses: false, isDeaf: false, attempts: 0 };
  return {
    state,
    bus: {
      ...bus,
      async publish(channel, message) {
        state.attempts++;
        if (state.refuses) throw new BusError('test');
        await bus.publish(channel, message);
      },
      subscribe(channel, handler, onInterruption = () => {}) {
        tell.push(onInterruption);
        return bus.subscribe(channel, (message) => {
          if (!state.isDeaf) handler(message);
        });
      },
    } satisfies Bus,
    cut() {
      state.refuses = true;
      state.isDeaf = true;
    },
    /** Its subscriptions are confirmed anew. */
    hears() {
      state.isDeaf = false;
      for (const one of tell) one();
    },
    publishes() {
      state.refuses = false;
    },
  };
}

/** What is said on a channel from now on. */
export async function listen(hub: MemoryHub, channel: string): Promise<NodeMessage[]> {
  const heard: NodeMessage[] = [];
  await openMemoryBus(hub).subscribe(channel, (message) => heard.push(decodeNodeMessage(message)));
  return heard;
}

export function woken(messages: readonly NodeMessage[]): DeviceId[] {
  return messages.flatMap((message) => (message.kind === 'wake' ? message.devices : []));
}
