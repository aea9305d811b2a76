/**
 * Whole lives with clocks that are wrong for a while: people register, write, add a device, and go on when the clock is right again, with
 * and without a restart in between (docs/operations/clocks.md).
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Constellation, startConstellation } from './constellation.ts';
import { join, type Person, register, takeTexts } from './person.ts';

const HOUR = 3_600_000;
const JUMPS: readonly [title: string, ms: number][] = [
  ['an hour ahead', HOUR],
  ['three days ahead', 72 * HOUR],
  ['ten years ahead', 87_648 * HOUR],
  ['an hour behind', -HOUR],
  ['three days behind', -72 * HOUR],
  ['ten years behind', -87_648 * HOUR],
];

const ahead = { servers: 0, people: 0 };

function clocksOf(whose: 'servers' | 'people', by: number): () => void {
  return () => {
    ahead[whose] = by;
  };
}

const now = () => Date.now() + ahead.people;

let constellation: Constellation;
let people: Person[];

beforeEach(async () => {
  Object.assign(ahead, { servers: 0, people: 0 });
  constellation = await startConstellation({ now: () => Date.now() + ahead.servers });
  people = [];
});

afterEach(async () => {
  for (const { client } of people) await client.close();
  await constellation.stop();
});

async function person(made: Promise<Person>): Promise<Person> {
  const one = await made;
  people.push(one);
  await one.client.connect();
  return one;
}

/** There and back. */
async function talk(from: Person, to: Person, text: string): Promise<void> {
  await (await from.client.send(to.client.address, text)).accepted;
  expect(await takeTexts(to.client, 1)).toEqual([text]);
  await (await to.client.send(from.client.address, `${text}, too`)).accepted;
  expect(await takeTexts(from.client, 1)).toEqual([`${text}, too`]);
}

/** All that people do, begun while `set` makes a clock wrong, and gone on with when it is right. */
async function live(set: () => void, setRight: () => void, restart: boolean): Promise<void> {
  const carol = await person(register(constellation, 'carol', { now }));
  set();
  const alice = await person(register(constellation, 'alice', { now }));
  const bob = await person(register(constellation, 'bob', { now }));
  await talk(alice, bob, 'hello');
  await talk(carol, bob, 'hello');
  bob.network.up = false;
  bob.network.cut();
  await (await alice.client.send('bob', 'while the clock was wrong')).accepted;
  setRight();
  if (restart) {
    await constellation.stop();
    await constellation.start();
  }
  await (await alice.client.send('bob', 'when it was right')).accepted;
  bob.network.up = true;
  expect(await takeTexts(bob.client, 2)).toEqual(['while the clock was wrong', 'when it was right']);
  await talk(bob, alice, 'still here');
  await talk(carol, bob, 'still here');
  const laptop = await person(join(constellation, bob, { now }));
  await (await alice.client.send('bob', 'to both')).accepted;
  expect(await takeTexts(laptop.client, 1)).toEqual(['to both']);
  expect(await takeTexts(bob.client, 1)).toEqual(['to both']);
  const dave = await person(register(constellation, 'dave', { now }));
  await (await dave.client.send('bob', 'new here')).accepted;
  expect(await takeTexts(bob.client, 1)).toEqual(['new here']);
}

describe('servers whose clock was', () => {
  it.each(JUMPS)(
    '%s, and is set right while they run: nobody is locked out, nothing is lost',
    async (_, ms) => {
      await live(clocksOf('servers', ms), clocksOf('servers', 0), false);
    },
    60_000,
  );

  it.each(JUMPS)(
    '%s, and is right after a restart: nobody is locked out, nothing is lost',
    async (_, ms) => {
      await live(clocksOf('servers', ms), clocksOf('servers', 0), true);
    },
    60_000,
  );
});

describe('devices whose clocks were', () => {
  it.each([...JUMPS, ['five years ahead', 43_824 * HOUR], ['five years behind', -43_824 * HOUR]] as const)(
    '%s, and are set right: nobody is locked out, nothing is lost',
    async (_, ms) => {
      await live(clocksOf('people', ms), clocksOf('people', 0), false);
    },
    60_000,
  );
});
