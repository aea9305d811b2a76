/** Who is online and who types, over real servers: docs/spec/presence.md. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { type Constellation, startConstellation } from './constellation.ts';
import { afterCrash, join, type Person, register, takeTexts } from './person.ts';

jest.setTimeout(30_000);

let constellation: Constellation;
let people: Person[];
let alice: Person;
let bob: Person;

beforeEach(async () => {
  constellation = await startConstellation();
  people = [];
  alice = await online(register(constellation, 'alice'));
  bob = await online(register(constellation, 'bob'));
});

afterEach(async () => {
  for (const { client } of people) await client.close();
  await constellation.stop();
});

async function online(made: Promise<Person>): Promise<Person> {
  const person = await made;
  people.push(person);
  await person.client.connect();
  return person;
}

async function write(from: Person, to: Person): Promise<void> {
  const { accepted } = await from.client.send(to.client.address, 'hello');
  await accepted;
  await takeTexts(to.client, 1);
}

/** The next word on somebody's presence. */
function told({ client }: Person): Promise<string> {
  return new Promise((resolve) => {
    const forget = client.onPresence(({ account, state }) => {
      forget();
      resolve(`${account} ${state}`);
    });
  });
}

/** The next word on who types. */
function shown({ client }: Person): Promise<string> {
  return new Promise((resolve) => {
    const forget = client.onTyping(({ device, typing }) => {
      forget();
      resolve(`${device} ${typing}`);
    });
  });
}

it('two people who show themselves to each other see each other, after a restart too; a third one sees nobody', async () => {
  const carol = await online(register(constellation, 'carol'));
  for (const { client } of [alice, bob, carol]) await client.presence.set({ online: true });
  await carol.client.presence.showTo(['alice', 'bob']);
  const both = [told(alice), told(bob)];
  await alice.client.presence.showTo(['bob']);
  await bob.client.presence.showTo(['alice']);
  expect(await Promise.all(both)).toEqual([`${bob.client.address} online`, `${alice.client.address} online`]);

  const away = told(bob);
  alice.client.presence.appear('away');
  expect(await away).toBe(`${alice.client.address} away`);
  const back = told(bob);
  alice = await online(afterCrash(alice));
  expect(await back).toBe(`${alice.client.address} online`);
  expect(bob.client.presence.of('alice')).toBe('online');
  expect([carol.client.presence.of('alice'), carol.client.presence.of('bob')]).toEqual(['offline', 'offline']);
});

it('typing reaches every device of the other one, and is in no mailbox', async () => {
  const phone = await online(join(constellation, bob));
  for (const { client } of [alice, bob, phone]) await client.presence.set({ typing: true });
  await write(alice, bob);
  await takeTexts(phone.client, 1);
  await write(bob, alice);
  await takeTexts(phone.client, 1);
  await write(phone, alice);
  await takeTexts(bob.client, 1);

  const both = [shown(bob), shown(phone)];
  alice.client.typing('bob', true);
  expect(await Promise.all(both)).toEqual([`${alice.client.device} true`, `${alice.client.device} true`]);
  expect(alice.network.framesSent('ephemeral')).toHaveLength(1);

  // Its end is the message.
  const over = [shown(bob), shown(phone)];
  const { accepted } = await alice.client.send('bob', 'done');
  await accepted;
  expect(await Promise.all(over)).toEqual([`${alice.client.device} false`, `${alice.client.device} false`]);
  expect(await takeTexts(bob.client, 1)).toEqual(['done']);
});
