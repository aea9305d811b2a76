/** How a device leaves its account against its will, seen from all sides: two nodes, the others of its account, peers (docs/spec/linking.md sections 5 and 6). */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import type { Client } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Store } from '@sealwire/store/port';
import { LIMITS } from '@sealwire/wire/limits';
import { type Constellation, startConstellation } from './constellation.ts';
import { newcomer } from './newcomer.ts';
import { join, type Person, register, take, takeTexts } from './person.ts';

jest.setTimeout(20_000);

const SECOND_MS = 1_000;
const UNDO_MS = 10 * 60_000;
const POLL = { pollFromMs: 1_000, pollToMs: 2_000 };

let store: Store;
let hub: MemoryHub;
/** Two nodes of one deployment. */
let nodes: [Constellation, Constellation];
let clock: { ahead: number };
let clients: Client[];
let alice: Person;
let bob: Person;

beforeEach(async () => {
  store = openMemoryStore();
  hub = new MemoryHub();
  clock = { ahead: 0 };
  const now = () => Date.now() + clock.ahead;
  const node = () => startConstellation({ store, bus: openMemoryBus(hub), now, relay: POLL });
  nodes = [await node(), await node()];
  alice = await register(nodes[0], 'alice', { now });
  bob = await register(nodes[0], 'bob', { now });
  clients = [alice.client, bob.client];
  await Promise.all(clients.map((client) => client.connect()));
});

afterEach(async () => {
  for (const client of clients) await client.close();
  for (const node of nodes) await node.stop();
});

/** Another device of alice's, online on the other node. */
async function tabletElsewhere(): Promise<Person> {
  const tablet = await join(nodes[1], alice);
  clients.push(tablet.client);
  await tablet.client.connect();
  return tablet;
}

function stopped(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const forget = client.onState((state) => {
      if (state !== 'stopped') return;
      forget();
      resolve();
    });
  });
}

describe('a removed device', () => {
  it('E07: on another node is out within a second; its token, its mailbox and its keys are gone on both', async () => {
    const tablet = await tabletElsewhere();
    let authorization = '';
    tablet.network.intercept = async (request, ask) => {
      authorization = request.headers.get('authorization') ?? authorization;
      return ask();
    };
    await tablet.client.devices.list();
    const ended = stopped(tablet.client);
    const removedAt = performance.now();
    await alice.client.devices.remove(tablet.client.device);
    await ended;
    expect(performance.now() - removedAt).toBeLessThan(SECOND_MS);
    await expect(tablet.client.connect()).rejects.toMatchObject({ code: 'device-removed' });
    const answer = await fetch(`${nodes[1].origin}/v1/devices`, { headers: { authorization } });
    expect([authorization.startsWith('Bearer '), answer.status]).toEqual([true, 401]);
    expect(await store.mailboxes.usage(tablet.client.device)).toEqual({ messages: 0, bytes: 0 });
    expect(await store.prekeys.find('c25519', [tablet.client.device])).toEqual([undefined]);
    expect((await alice.client.trust.peer('alice')).devices.map(({ id }) => id)).toEqual([alice.client.device]);
  });

  it('T183: of whose removal the bus lost every word is out with the next poll, and peers leave it out before that', async () => {
    const tablet = await tabletElsewhere();
    await (await bob.client.send('alice', 'to both')).accepted;
    expect(await takeTexts(tablet.client, 1)).toEqual(['to both']);
    const mend = hub.cut();
    const ended = stopped(tablet.client);
    const removedAt = performance.now();
    await alice.client.devices.remove(tablet.client.device);
    // What a relay remembers of an account's devices ends by itself.
    clock.ahead += 3 * SECOND_MS;
    await (await bob.client.send('alice', 'to one')).accepted;
    const [sent] = bob.network.framesSent('send').slice(-1);
    expect(sent!.parts.map(({ device }) => device)).toEqual([alice.client.device]);
    await ended;
    expect(performance.now() - removedAt).toBeLessThan(POLL.pollToMs + SECOND_MS);
    mend();
    await expect(tablet.client.send('bob', 'still here')).rejects.toMatchObject({ code: 'device-removed' });
  });

  it('E04: installed again is another device: the old id gets no mail, and nobody can bring it back', async () => {
    const tablet = await tabletElsewhere();
    const { device } = tablet.client;
    await tablet.client.close();
    await (await bob.client.send('alice', 'while it was away')).accepted;
    expect((await store.mailboxes.usage(device)).messages).toBe(1);
    const entry = (await store.devices.find(device))!;
    await alice.client.devices.remove(device);
    const again = await join(nodes[1], alice);
    clients.push(again.client);
    expect(again.client.device).not.toBe(device);
    expect(await store.mailboxes.usage(device)).toEqual({ messages: 0, bytes: 0 });
    // Even its own account cannot name it once more: neither with its keys, nor with others.
    const newest = (await store.manifests.newest(alice.client.address))!;
    const next = { ...newest, version: newest.version + 1, bytes: Uint8Array.of(1) };
    const others = await store.devices.list([alice.client.address]);
    const publish = store.manifests.publish(alice.client.address, next, [...others[0]!, entry], Date.now());
    await expect(publish).rejects.toMatchObject({ kind: 'conflict' });
    expect(await store.mailboxes.claimSession(device, 1)).toBeUndefined();
  });
});

describe('the linking of a device', () => {
  async function letIn(options = {}): Promise<Client> {
    const device = newcomer(nodes[1], 'alice', new MemoryStorage());
    const request = await alice.client.devices.answerLink(await device.code);
    await request.approve(await device.digits, options);
    const client = await device.linked;
    clients.push(client);
    await client.connect();
    return client;
  }

  it('T184: is undone by one call within ten minutes: cut off, named by no list, and told of on every device', async () => {
    const desk = await tabletElsewhere();
    const tablet = await letIn();
    expect((await take(desk.client, 'devices-changed', 1))[0]).toMatchObject({ added: [tablet.device] });
    const ended = stopped(tablet);
    clock.ahead += UNDO_MS - 60 * SECOND_MS;
    expect(await alice.client.devices.undoLinking()).toEqual({ device: tablet.device, administrator: false });
    await ended;
    // She was told of the desk, too.
    expect((await take(alice.client, 'devices-changed', 3)).at(-1)).toMatchObject({ removed: [tablet.device] });
    expect(await take(desk.client, 'devices-changed', 1)).toMatchObject([{ added: [], removed: [tablet.device] }]);
    await (await bob.client.send('alice', 'without it')).accepted;
    const [sent] = bob.network.framesSent('send').slice(-1);
    expect(sent!.parts.map(({ device }) => device).sort()).toEqual([alice.client.device, desk.client.device].sort());
    // The one that came before it is as new, and goes by another call.
    expect((await alice.client.devices.undoLinking()).device).toBe(desk.client.device);
    await expect(alice.client.devices.undoLinking()).rejects.toMatchObject({ code: 'nothing-to-undo' });
  });

  it('is undone by another device that was told of it, too', async () => {
    const desk = await tabletElsewhere();
    const tablet = await letIn();
    await take(desk.client, 'devices-changed', 1);
    expect((await desk.client.devices.undoLinking()).device).toBe(tablet.device);
  });

  it('is not undone after that; and of one that was given the account key is told that it can come back', async () => {
    const tablet = await letIn({ administrator: true });
    expect(await alice.client.devices.undoLinking()).toEqual({ device: tablet.device, administrator: true });
    const late = await letIn();
    clock.ahead += UNDO_MS;
    await expect(alice.client.devices.undoLinking()).rejects.toMatchObject({ code: 'nothing-to-undo' });
    expect((await alice.client.devices.list()).map(({ id }) => id)).toContain(late.device);
  });

  it('whose undoing broke off is undone by the same call again', async () => {
    const tablet = await letIn();
    alice.network.intercept = async (request, ask) => {
      if (request.method === 'PUT') throw new TypeError('fetch failed');
      return ask();
    };
    await expect(alice.client.devices.undoLinking()).rejects.toMatchObject({ code: 'unreachable' });
    alice.network.intercept = (_request, ask) => ask();
    expect((await alice.client.devices.undoLinking()).device).toBe(tablet.device);
    expect((await bob.client.trust.peer('alice')).devices.map(({ id }) => id)).toEqual([alice.client.device]);
  });
});

it('I12: the name of a deleted account is given to nobody, however long ago that was', async () => {
  await alice.client.account.delete();
  clock.ahead += 2 * LIMITS.unfinishedAccountMs.value;
  await expect(register(nodes[1], 'alice')).rejects.toMatchObject({ code: 'name-taken' });
});
