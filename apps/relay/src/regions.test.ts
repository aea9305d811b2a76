/**
 * Two regions, a node and a bus of its own in each, on one store: what holds between them while the link is whole, while it is cut, and
 * after (docs/operations/regions.md section 4). The nodes' time stands still unless it is told to pass: what comes without it came by no poll.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import type { Bus } from '@sealwire/bus/port';
import { type OtherRegion, openRegionalBus } from '@sealwire/bus/regional';
import { createAnnouncer } from '@sealwire/service/announce';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { messageId, type TestClient } from './testing/test-client.ts';
import { openWorld, turns, type World } from './testing/test-relay.ts';

const EAST = 0;
const WEST = 1;
const SECOND = 1_000;

/** From one region to the bus of the other: while it is cut nothing is heard over it, and then that is told. */
class Way {
  isCut = false;
  readonly #interruptions = new Set<() => void>();

  to(name: string, hub: MemoryHub): OtherRegion {
    const open = async (): Promise<Bus> => {
      const bus = openMemoryBus(hub);
      return {
        ...bus,
        subscribe: (channel, handler, onInterruption = () => {}) => {
          this.#interruptions.add(onInterruption);
          return bus.subscribe(channel, (message) => {
            if (!this.isCut) handler(message);
          });
        },
      };
    };
    return { name, open };
  }

  mend(): void {
    this.isCut = false;
    for (const tell of this.#interruptions) tell();
  }
}

let world: World;
let ways: Way[];
let east: Bus;
let alice: DeviceId;
let bob: DeviceId;

beforeEach(async () => {
  const hubs = [new MemoryHub(), new MemoryHub()];
  ways = [new Way(), new Way()];
  east = openMemoryBus(hubs[EAST]);
  const buses = await Promise.all([
    openRegionalBus({ own: openMemoryBus(hubs[EAST]), others: [ways[0]!.to('west', hubs[WEST]!)] }),
    openRegionalBus({ own: openMemoryBus(hubs[WEST]), others: [ways[1]!.to('east', hubs[EAST]!)] }),
  ]);
  world = await openWorld({ nodes: 2, wrapBus: () => buses.shift()! });
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
});

afterEach(() => world.close());

function cut(): void {
  for (const way of ways) way.isCut = true;
}

async function mend(): Promise<void> {
  for (const way of ways) way.mend();
  await turns(6);
}

async function connected(device: DeviceId, region: number): Promise<TestClient> {
  const client = await world.client(device, region);
  await client.next('caught-up');
  return client;
}

/** So much time passes, and what nodes say in it is heard. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= SECOND) {
    world.time.pass(Math.min(left, SECOND));
    await turns(4);
  }
}

describe('two regions whose link is whole', () => {
  it('wake each other’s devices: a message crosses without a poll', async () => {
    const [from, to] = [await connected(alice, EAST), await connected(bob, WEST)];
    from.message(messageId(1), [bob], 'hello');
    expect(await to.delivered(1)).toEqual(['hello']);
  });

  it('one socket a device: who connects in the other region replaces the one here', async () => {
    const before = await connected(bob, EAST);
    await connected(bob, WEST);
    expect(await before.closed).toMatchObject({ code: 4002 });
  });

  it('T214: a removed device is out in the other region without a poll, by a server that knows its own region’s bus alone', async () => {
    const there = await connected(bob, WEST);
    const announcer = createAnnouncer({ bus: east, log: silentLog, metrics: createMetrics() });
    await world.store.devices.remove(bob, world.time.ms);
    await announcer.devicesRemoved([bob]);
    expect(await there.closed).toEqual({ code: 4401, reason: 'device-removed' });
    announcer.stop();
  });

  it('see who is there, and who types', async () => {
    const [one, other] = [await connected(alice, EAST), await connected(bob, WEST)];
    one.send({ kind: 'show', accounts: [accountOf(bob)], away: false });
    other.send({ kind: 'show', accounts: [accountOf(alice)], away: false });
    await Promise.all([one.settled(), other.settled()]);
    await pass(2 * SECOND);
    expect(await other.next('presence')).toMatchObject({ peers: [{ account: accountOf(alice), state: 'online' }] });
    one.send({ kind: 'ephemeral', body: Uint8Array.of(2), parts: [{ device: bob, content: Uint8Array.of(1) }] });
    expect(await other.next('ephemeral-deliver')).toMatchObject({ sender: alice });
  });
});

describe('while the link is cut', () => {
  it('a message across waits for the poll of its recipient, and only that', async () => {
    const [from, to] = [await connected(alice, EAST), await connected(bob, WEST)];
    cut();
    from.message(messageId(1), [bob], 'late');
    await from.next('accepted');
    await pass(14 * SECOND);
    expect(to.frames.filter(({ kind }) => kind === 'deliver')).toEqual([]);
    await pass(17 * SECOND);
    expect(await to.delivered(1)).toEqual(['late']);
  });

  it('T214: a removed device is out by the poll of its socket', async () => {
    const there = await connected(bob, WEST);
    cut();
    await world.store.devices.remove(bob, world.time.ms);
    await createAnnouncer({ bus: east, log: silentLog, metrics: createMetrics() }).devicesRemoved([bob]);
    await pass(31 * SECOND);
    expect(await there.closed).toMatchObject({ code: 4401 });
  });

  it('T215: a device with a socket in each region has two, of which the newer alone can acknowledge', async () => {
    const before = await connected(bob, EAST);
    cut();
    const now = await connected(bob, WEST);
    const from = await connected(alice, WEST);
    from.message(messageId(1), [bob], 'once');
    expect(await now.delivered(1)).toEqual(['once']);
    await pass(31 * SECOND);
    before.ack(1);
    await turns(6);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 1 });
    now.ack(1);
    await world.acknowledged(now);
    expect(await world.store.mailboxes.usage(bob)).toEqual({ messages: 0, bytes: 0 });
  });
});

describe('when the link is back', () => {
  it('what was written meanwhile arrives before any poll, to devices that were thought nowhere too', async () => {
    cut();
    const [from, to] = [await connected(alice, EAST), await connected(bob, WEST)];
    for (const n of [1, 2]) from.message(messageId(n), [bob], `late ${n}`);
    await from.next('accepted');
    await mend();
    // The look into all mailboxes, within two seconds and a bit; a poll comes after 15 at the earliest.
    await pass(3 * SECOND);
    expect(await to.delivered(2)).toEqual(['late 1', 'late 2']);
    from.message(messageId(3), [bob], 'at once');
    expect(await to.delivered(1)).toEqual(['at once']);
  });

  it('T214: a device that was removed meanwhile is out within three seconds', async () => {
    const there = await connected(bob, WEST);
    cut();
    await world.store.devices.remove(bob, world.time.ms);
    await createAnnouncer({ bus: east, log: silentLog, metrics: createMetrics() }).devicesRemoved([bob]);
    await mend();
    await pass(3 * SECOND);
    expect(await there.closed).toMatchObject({ code: 4401 });
  });

  it('T215: the older of two sockets of a device is replaced', async () => {
    const before = await connected(bob, EAST);
    cut();
    const now = await connected(bob, WEST);
    await mend();
    expect(await before.closed).toMatchObject({ code: 4002 });
    await now.settled();
  });
});
