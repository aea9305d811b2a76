/** Who is online and who types, over real servers: docs/spec/presence.md. */
import { beforeEach, expect, it, jest } from '@jest/globals';
import { Company, say, shownUntil } from './company.ts';
import { afterCrash, type Person, take } from './person.ts';

jest.setTimeout(30_000);

/** One identity a device: keys of several are no matter of presence. */

const company = new Company();
let alice: Person;
let bob: Person;

beforeEach(async () => {
  [alice, bob] = await Promise.all([company.person('alice'), company.person('bob')]);
});

/** The next word on somebody's presence. */
function told({ client }: Person): Promise<string> {
  return new Promise((resolve) => {
    const forget = client.presence.onPresence(({ account, state }) => {
      forget();
      resolve(`${account} ${state}`);
    });
  });
}

/** The next word on who types. */
function shown({ client }: Person): Promise<string> {
  return new Promise((resolve) => {
    const forget = client.typing.onTyping(({ device, conversation, typing }) => {
      forget();
      resolve(`${device} ${typing} ${conversation}`);
    });
  });
}

it('two people who show themselves to each other see each other, after a restart too; a third one sees nobody', async () => {
  const carol = await company.person('carol');
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
  alice = await company.online(await afterCrash(alice));
  expect(await back).toBe(`${alice.client.address} online`);
  expect(bob.client.presence.of('alice')).toBe('online');
  expect([carol.client.presence.of('alice'), carol.client.presence.of('bob')]).toEqual(['offline', 'offline']);
});

it('typing reaches every device of the other one, and is in no mailbox', async () => {
  const phone = await company.anotherDevice(bob);
  for (const { client } of [alice, bob, phone]) await client.presence.set({ typing: true });
  await say(alice, 'bob', 'one');
  await say(bob, 'alice', 'two');
  await say(phone, 'alice', 'three');
  await shownUntil(alice, 'three');
  for (const device of [bob, phone]) await shownUntil(device, 'one', ['caught-up', 'delivered']);

  const both = [shown(bob), shown(phone)];
  alice.client.typing.say('bob', true);
  const about = [alice.client.device, alice.client.address] as const;
  expect(await Promise.all(both)).toEqual(new Array(2).fill(`${about[0]} true ${about[1]}`));
  expect(alice.network.framesSent('ephemeral')).toHaveLength(1);

  // Its end is the message.
  const over = [shown(bob), shown(phone)];
  await say(alice, 'bob', 'done');
  expect(await Promise.all(over)).toEqual(new Array(2).fill(`${about[0]} false ${about[1]}`));
  await shownUntil(bob, 'done');
});

it('typing in a group is seen there', async () => {
  for (const { client } of [alice, bob]) await client.presence.set({ typing: true });
  const { address } = await alice.client.groups.create('two', ['bob']);
  await take(bob.client, 'group-invited', 1);
  await bob.client.groups.join(address);
  await take(alice.client, 'group-changed', 1);
  await say(alice, address, 'welcome');
  await say(bob, address, 'thank you');
  await take(alice.client, 'message', 1);
  await take(bob.client, 'message', 1);
  const seen = shown(bob);
  alice.client.typing.say(address, true);
  expect(await seen).toBe(`${alice.client.device} true ${address}`);
});
