/** A node whose two directions to the bus break apart, and come back one after the other: what was refused is said again. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { NODES_CHANNEL, nodeChannel } from '@sealwire/wire/node-messages';
import { type BareSession, breakable, createNode, listen, sessionOf, woken } from '../testing/bare-nodes.ts';
import { FakeTime } from '../testing/fake-time.ts';
import { turns } from '../testing/test-relay.ts';
import { AGAIN_MS } from './repeats.ts';

const deviceOf = (number: number) => parseDeviceId(`sip:user${number}@relay.test;gr=urn:uuid:1`);
const arrives = deviceOf(1);
const stays = deviceOf(2);
const leaves = deviceOf(3);
const elsewhere = deviceOf(4);

type Node = ReturnType<typeof createNode>;

let time: FakeTime;
let hub: MemoryHub;
let link: ReturnType<typeof breakable>;
let first: Node;
let second: Node;

beforeEach(async () => {
  time = new FakeTime();
  hub = new MemoryHub();
  link = breakable(openMemoryBus(hub));
  first = createNode('first', link.bus, time);
  second = createNode('second', openMemoryBus(hub), time);
  await first.listener.start();
  await second.listener.start();
  await turns(4);
});
afterEach(() => Promise.all([first, second].map(({ listener }) => listener.stop())));

let numbers = 0;
function opens(node: Node, device: DeviceId): BareSession {
  const session = sessionOf(device, ++numbers);
  node.sessions.open(session);
  node.announcements.opened(session);
  return session;
}

function closes(node: Node, session: BareSession): void {
  node.sessions.remove(session);
  node.announcements.closed(session);
}

async function later(rounds = 1): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    time.pass(AGAIN_MS);
    await turns(6);
  }
}

/** Which channels a call of `node` for `device` goes to. */
async function called(node: Node, device: DeviceId): Promise<string[]> {
  const channels = [NODES_CHANNEL, nodeChannel('first'), nodeChannel('second')];
  const heard = await Promise.all(channels.map((channel) => listen(hub, channel)));
  node.hub.wake(device);
  node.hub.flush();
  await turns(4);
  return channels.filter((_, i) => woken(heard[i]!).includes(device));
}

describe('a node that was cut off alone, whichever of its directions comes back first', () => {
  it.each([
    ['hears again before it can publish', ['hears', 'publishes']],
    ['can publish before it hears again', ['publishes', 'hears']],
  ] as const)('B02: %s: all know of all, and what they could miss is looked for', async (_, order) => {
    const here = opens(first, stays);
    const gone = opens(first, leaves);
    opens(second, elsewhere);
    await turns(4);
    link.cut();
    const arrived = opens(first, arrives);
    closes(first, gone);
    const there = opens(second, leaves);
    first.hub.wake(elsewhere);
    first.hub.flush();
    await later(3);
    for (const direction of order) {
      link[direction]();
      arrived.looks = 0;
      here.looks = 0;
      await later();
    }
    await later();
    // After the others were told of it: until then they called elsewhere.
    expect(arrived.looks).toBeGreaterThan(0);
    expect(here.looks).toBeGreaterThan(0);
    expect(await called(second, arrives)).toEqual([nodeChannel('first')]);
    expect(await called(second, stays)).toEqual([nodeChannel('first')]);
    expect(await called(first, elsewhere)).toEqual([nodeChannel('second')]);
    expect(await called(first, there.device)).toEqual([nodeChannel('second')]);
    expect(link.state.refuses || link.state.isDeaf).toBe(false);
  });
});

describe('what the bus refused', () => {
  it('B02: announcements are made again, of each device the last state', async () => {
    link.state.refuses = true;
    opens(first, arrives);
    await turns(2);
    closes(first, opens(first, leaves));
    const toAll = await listen(hub, NODES_CHANNEL);
    await later();
    expect(toAll).toEqual([]);
    link.publishes();
    await later();
    const told = toAll.map((message) => [
      message.kind,
      'sessions' in message && message.sessions.map((one) => one.device),
    ]);
    expect(told).toEqual([
      ['sessions-opened', [arrives]],
      ['sessions-closed', [leaves]],
    ]);
  });

  it('B02: an answer to a node that asked is given again, whole', async () => {
    const devices = Array.from({ length: 2_500 }, (_, i) => deviceOf(10 + i));
    for (const device of devices) opens(first, device);
    await turns(20);
    link.state.refuses = true;
    const third = createNode('third', openMemoryBus(hub), time);
    await third.listener.start();
    await turns(20);
    link.publishes();
    const toFirst = await listen(hub, nodeChannel('first'));
    await later(2);
    await turns(20);
    for (const device of devices) third.hub.wake(device);
    third.hub.flush();
    await turns(4);
    expect(woken(toFirst)).toHaveLength(devices.length);
    await third.listener.stop();
  });

  it('B02: calls are made again, to where the devices are by then', async () => {
    const moves = opens(second, arrives);
    opens(second, stays);
    await turns(4);
    link.state.refuses = true;
    for (const device of [arrives, stays]) first.hub.wake(device);
    first.hub.flush();
    await later();
    closes(second, moves);
    const here = opens(first, arrives);
    here.looks = 0;
    link.publishes();
    const toSecond = await listen(hub, nodeChannel('second'));
    await later();
    expect(woken(toSecond)).toEqual([stays]);
    expect(here.looks).toBeGreaterThan(0);
  });

  it('B08: costs an attempt a round, however much waits, and nothing when the bus takes it or the node ends', async () => {
    link.state.refuses = true;
    for (let i = 0; i < 20_000; i++) {
      opens(first, deviceOf(i));
      first.hub.wake(deviceOf(20_000 + i));
    }
    first.hub.flush();
    await turns(40);
    link.state.attempts = 0;
    await later(10);
    expect(link.state.attempts).toBe(10);
    link.publishes();
    await later();
    await turns(100);
    link.state.attempts = 0;
    await later(10);
    expect(link.state.attempts).toBe(0);
    link.state.refuses = true;
    opens(first, arrives);
    await turns(2);
    first.repeats.stop();
    link.state.attempts = 0;
    await later(10);
    expect(link.state.attempts).toBe(0);
  });
});

describe('after an interruption', () => {
  it('E07: a session that only sends is looked after too: its device may have been removed meanwhile', async () => {
    const sender = sessionOf(stays, 1, 'contact');
    first.sessions.open(sender);
    link.hears();
    await turns(4);
    expect(sender.looks).toBe(1);
  });
});
