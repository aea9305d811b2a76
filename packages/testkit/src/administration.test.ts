/** What an administrator sees of relays that run, with people's real programs on them: who is connected, and where. */
import { afterEach, expect, it, jest } from '@jest/globals';
import { offlineAdminCommands } from '@sealwire/api/admin';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import { type Constellation, startConstellation } from './constellation.ts';
import { join, type Person, register } from './person.ts';

jest.setTimeout(60_000);

let constellation: Constellation;
const people: Person[] = [];

afterEach(async () => {
  for (const { client } of people.splice(0)) await client.close();
  await constellation.stop();
});

async function online(made: Promise<Person>): Promise<Person> {
  const person = await made;
  people.push(person);
  await person.client.connect();
  return person;
}

it('sessions list: every connected device once, at the node that it is on; who leaves is gone, whom nobody asked for is left out', async () => {
  const hub = new MemoryHub();
  const began = Date.now();
  constellation = await startConstellation({ bus: openMemoryBus(hub), relays: 2 });
  const alice = await online(register(constellation, 'alice'));
  const laptop = await online(join(constellation, alice));
  const bob = await online(register(constellation, 'bob'));
  const { store, domain } = constellation;
  const commands = offlineAdminCommands(store, { now: Date.now, domain, bus: openMemoryBus(hub) });
  const list = async (filter?: string) =>
    (await commands['/v1/admin/sessions/list']!({ limit: 9, ...(filter && { filter }) }, { via: 'socket' })) as {
      count: number;
      nodes: Record<string, number>;
      sessions: { device: string; node: string; since: number }[];
    };
  const all = await list();
  const devices = [alice, laptop, bob].map(({ client }) => client.device).sort();
  expect([all.count, all.sessions.map(({ device }) => device)]).toEqual([3, devices]);
  // Sockets go to the nodes in turns.
  expect(Object.values(all.nodes).sort()).toEqual([1, 2]);
  for (const { node, since } of all.sessions) {
    expect(Object.keys(all.nodes)).toContain(node);
    expect(since).toBeGreaterThanOrEqual(began);
    expect(since).toBeLessThanOrEqual(Date.now() + 1);
  }
  await laptop.client.close();
  // Its node hears of it in its own time.
  while ((await list()).count > 2);
  expect((await list('alice')).sessions.map(({ device }) => device)).toEqual([alice.client.device]);
});
