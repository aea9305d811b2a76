/** Messages kept on devices, over real servers: docs/spec/history.md. */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import type { MemoryStorage } from '@sealwire/client/memory-storage';
import { Company } from './company.ts';
import { acquaint, afterCrash, type Person, take, takeTexts } from './person.ts';

jest.setTimeout(30_000);

const company = new Company();
let alice: Person;
let bob: Person;

beforeEach(async () => {
  alice = await keeping(company.person('alice'));
  bob = await keeping(company.person('bob'));
});

async function keeping(made: Promise<Person>): Promise<Person> {
  const person = await made;
  await person.client.history.configure({ on: true });
  return person;
}

async function kept(client: Client, of: string) {
  const { messages } = await client.history.page(of);
  return messages.map(({ text, from, state }) => [from.slice(4, from.indexOf('@')), text, state]);
}

describe('a history', () => {
  it('has what was sent and what came, and on our other devices, too', async () => {
    const laptop = await keeping(company.anotherDevice(alice));
    await (await alice.client.send('bob', 'hello')).accepted;
    await takeTexts(bob.client, 1);
    await (await bob.client.send('alice', 'hello yourself')).accepted;
    for (const { client } of [alice, laptop]) await take(client, 'message', client === alice.client ? 1 : 2);
    const conversation = [
      ['bob', 'hello yourself', undefined],
      ['alice', 'hello', undefined],
    ];
    expect(await kept(laptop.client, 'bob')).toEqual(conversation);
    expect(await kept(alice.client, 'bob')).toEqual([conversation[0], ['alice', 'hello', expect.any(String)]]);
    expect(await laptop.client.history.conversations()).toEqual([
      expect.objectContaining({ conversation: bob.client.address, unread: 1, messages: 2 }),
    ]);
  });

  it('follows a message from the outbox until it was read', async () => {
    await acquaint(alice, bob);
    for (const { client } of [alice, bob]) await client.receipts.setLevel('on');
    alice.network.up = false;
    alice.network.cut();
    await alice.client.send('bob', 'hello');
    expect(await kept(alice.client, 'bob')).toEqual([['alice', 'hello', 'queued']]);
    alice.network.up = true;
    const [message] = await take(bob.client, 'message', 1);
    expect(await bob.client.history.conversations()).toMatchObject([{ unread: 1 }]);
    // An application that keeps messages says so of the one that it kept.
    const { messages } = await bob.client.history.page('alice');
    await bob.client.receipts.displayed(messages[0]!);
    expect(await bob.client.history.conversations()).toMatchObject([{ unread: 0 }]);
    expect(messages[0]).toMatchObject({ id: message!.id, requests: message!.requests });
    await take(alice.client, 'displayed', 1);
    expect(await kept(alice.client, 'bob')).toEqual([['alice', 'hello', 'displayed']]);
  });

  it('T180: has, after the death of a process, each message that was taken or queued, once', async () => {
    await (await alice.client.send('bob', 'one')).accepted;
    await takeTexts(bob.client, 1);
    bob.network.up = false;
    bob.network.cut();
    await bob.client.send('alice', 'queued');
    await (await alice.client.send('bob', 'two')).accepted;
    const again = await afterCrash(bob);
    company.people.push(again);
    await again.client.connect();
    expect(await takeTexts(again.client, 1)).toEqual(['two']);
    await takeTexts(alice.client, 1);
    expect(await kept(again.client, 'alice')).toEqual([
      ['alice', 'two', undefined],
      ['bob', 'queued', expect.any(String)],
      ['alice', 'one', undefined],
    ]);
  });

  it('has a note to self of the only device once', async () => {
    await alice.client.send('alice', 'buy milk');
    await take(alice.client, 'message', 1);
    expect(await kept(alice.client, 'alice')).toEqual([['alice', 'buy milk', 'accepted']]);
    expect(await alice.client.history.conversations()).toMatchObject([{ unread: 0, messages: 1 }]);
  });

  it('is switched on and off where a client is opened, and stays so', async () => {
    const { runtime } = alice;
    const storage = (alice.storage as MemoryStorage).copy();
    for (const [history, settings] of [
      [{ days: 30 }, { on: true, days: 30 }],
      [undefined, { on: true, days: 30 }],
      [false, { on: false, days: 30 }],
    ] as const) {
      const client = await Client.open({ storage, runtime, ...(history !== undefined && { history }) });
      expect(client.history.settings()).toEqual(settings);
      await client.close();
    }
  });
});
