/**
 * The scenarios of `packages/testkit/scenarios` on a relay of two nodes, on which people are in turns, so that what they say to each other
 * goes over the bus; and what a scenario that goes another way fails by (docs/testing.md section 5).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import { systemRandom } from '@sealwire/crypto/random';
import { type Constellation, startConstellation } from './constellation.ts';
import { type Person, register, takeTexts } from './person.ts';
import { newRun } from './scenes/cast.ts';
import { play } from './scenes/play.ts';

jest.setTimeout(60_000);

const folder = new URL('../scenarios/', import.meta.url);
const scenarios = readdirSync(folder).map((file) => file.replace('.txt', ''));

let hub: MemoryHub;
let constellation: Constellation;

beforeAll(async () => {
  hub = new MemoryHub();
  constellation = await startConstellation({ relays: 2, bus: openMemoryBus(hub) });
});
afterAll(() => constellation.stop());

const on = (patience = 30_000) => ({ origin: constellation.origin, patience, run: newRun(systemRandom) });

it('people who come after each other are on different nodes: without the bus one does not hear the other', async () => {
  const people = await Promise.all(['alice', 'bob', 'carol'].map((name) => register(constellation, name)));
  for (const { client } of people) await client.connect();
  const [alice, bob, carol] = people.map(({ client }) => client) as [
    Person['client'],
    Person['client'],
    Person['client'],
  ];
  const mend = hub.cut();
  for (const [to, text] of [
    ['bob', 'over the bus'],
    ['carol', 'on one node'],
  ] as const)
    await (await alice.send(to, text)).accepted;
  expect(await takeTexts(carol, 1)).toEqual(['on one node']);
  expect(people[1]!.network.framesReceived('deliver')).toEqual([]);
  mend();
  expect(await takeTexts(bob, 1)).toEqual(['over the bus']);
  for (const { client } of people) await client.close();
});

it.each(scenarios)('goes as it is written: %s', async (name) => {
  await play(readFileSync(new URL(`${name}.txt`, folder), 'utf8'), on());
});

describe('a scenario fails', () => {
  it.each([
    ['alice > say alice milk\nalice < alice: bread', 'line 3: alice < alice: bread\ncame: alice: milk'],
    ['alice > say alice 1\nalice > say alice 2\nalice < alice: 2', 'line 4: alice < alice: 2\ncame: alice: 1'],
    [
      'alice > say alice 1\nalice > say alice 2\nalice < alice: 1 (trusted)',
      'nobody has written of:\nalice < alice: 2',
    ],
    ['alice > say alice milk => refused contact-needed', 'came: done'],
    ['alice > say nobody hello', 'came: refused unknown-account'],
    ['alice > devices', 'came: alice'],
    ['alice > link tablet', 'nobody has written of:\nalice ! devices +alice/tablet'],
  ])('%j', async (steps, why) => {
    await expect(play(`alice > register\n${steps}`, on())).rejects.toThrow(why);
  });

  it.each([
    ['alice > say bob hello', 'alice is not there'],
    ['alice > fly', 'line 1: nobody can fly'],
    ['alice hello', 'line 1 is no step: alice hello'],
  ])('%j', async (steps, why) => {
    await expect(play(steps, on())).rejects.toThrow(why);
  });

  it('when nothing comes, after a while', async () => {
    await expect(play('alice > register\nalice < alice: hello', on(1))).rejects.toThrow('came: nothing');
  });
});
