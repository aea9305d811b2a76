/** Contacts, blocks and contact requests between devices and servers as they are (docs/spec/contacts.md). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Store } from '@sealwire/store/port';
import { LIMITS } from '@sealwire/wire/limits';
import { type Constellation, startConstellation } from './constellation.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { join, type Person, register, runtimeOver, take, takeBacklog, takeTexts } from './person.ts';

let store: Store;
let constellation: Constellation;
let alice: Person;
let bob: Person;
let clients: Client[];

beforeEach(async () => {
  store = openMemoryStore();
  constellation = await startConstellation({ store });
  alice = await register(constellation, 'alice');
  bob = await register(constellation, 'bob');
  clients = [alice.client, bob.client];
  await Promise.all(clients.map((client) => client.connect()));
});

afterEach(async () => {
  for (const client of clients) await client.close();
  await constellation.stop();
});

async function linked(): Promise<Client> {
  let show: (code: string) => void = () => {};
  let tell: (digits: string) => void = () => {};
  const [code, digits] = [
    new Promise<string>((resolve) => {
      show = resolve;
    }),
    new Promise<string>((resolve) => {
      tell = resolve;
    }),
  ];
  const linking = Client.link({
    server: constellation.origin,
    name: 'alice',
    storage: new MemoryStorage(),
    runtime: runtimeOver(new FlakyNetwork()),
    code: show,
    digits: tell,
  });
  const request = await alice.client.devices.answerLink(await code);
  await request.approve(await digits);
  const client = await linking;
  clients.push(client);
  await client.connect();
  return client;
}

describe('the contact list', () => {
  it('is on every device at once: one that joined, and one that was linked and cannot sign lists', async () => {
    await alice.client.contacts.add('bob', { name: 'Bob of the choir', note: 'owes me a book' });
    await alice.client.contacts.synced();
    const laptop = await join(constellation, alice);
    clients.push(laptop.client);
    await laptop.client.connect();
    const tablet = await linked();
    for (const client of [laptop.client, tablet]) {
      expect(await take(client, 'contacts-changed', 1)).toEqual([
        { kind: 'contacts-changed', changed: [bob.client.address] },
      ]);
      expect(client.contacts.list()).toMatchObject([{ address: bob.client.address, name: 'Bob of the choir' }]);
    }
    // By the hint: nobody reconnects.
    await tablet.contacts.rename('bob', 'Robert');
    await tablet.contacts.synced();
    for (const client of [alice.client, laptop.client]) {
      await take(client, 'contacts-changed', 1);
      expect(client.contacts.get('bob')).toMatchObject({ name: 'Robert', note: 'owes me a book' });
    }
  });

  it('has the timer of a pair, too: what another device writes has that life', async () => {
    const laptop = await join(constellation, alice);
    clients.push(laptop.client);
    await laptop.client.connect();
    await alice.client.timers.set('bob', 60);
    expect(await take(laptop.client, 'timer-changed', 1)).toEqual([
      { kind: 'timer-changed', conversation: bob.client.address, lifetime: 60 },
    ]);
    await (await laptop.client.send('bob', 'a minute')).accepted;
    expect(await take(bob.client, 'message', 1)).toMatchObject([{ text: 'a minute', lifetime: 60 }]);
  });

  it('is nothing that the server could read, as are names and notes', async () => {
    await alice.client.contacts.add('bob', { name: 'Bob of the choir', note: 'owes me a book' });
    await alice.client.contacts.synced();
    const [record] = await store.accountRecords.read([alice.client.address], 'contact-list');
    const kept = Buffer.from(record!.bytes).toString('latin1');
    for (const secret of ['bob', 'choir', 'book']) expect(kept).not.toContain(secret);
    expect(await store.accountRecords.read([alice.client.address], 'contact-rules')).toEqual([undefined]);
  });
});

describe('a block', () => {
  it('J05: keeps messages out and tells nobody; the rest of what was sent is as before', async () => {
    await (await bob.client.send('alice', 'before')).accepted;
    expect(await takeTexts(alice.client, 1)).toEqual(['before']);
    await alice.client.blocks.add('bob');
    expect(await alice.client.blocks.list()).toEqual([bob.client.address]);
    expect(await (await bob.client.send('alice', 'blocked')).accepted).toEqual({ leftOut: [], keptOut: [] });
    expect(await bob.client.blocks.list()).toEqual([]);
    await alice.client.blocks.remove('bob');
    await (await bob.client.send('alice', 'after')).accepted;
    expect(await takeTexts(alice.client, 1)).toEqual(['after']);
  });

  it('J08: of somebody who is not there is as good as one of somebody who is', async () => {
    expect(await alice.client.blocks.add('nobody')).toBe('sip:nobody@example.org');
    await expect(alice.client.blocks.add('alice')).rejects.toMatchObject({ code: 'forbidden' });
    expect(await alice.client.blocks.list()).toEqual(['sip:nobody@example.org']);
  });
});

describe('a stranger', () => {
  beforeEach(async () => {
    await alice.client.contacts.setPolicy('requests');
    await alice.client.contacts.synced();
  });

  it('asks once a day, by a message that comes as a request; accepted, it writes as anybody', async () => {
    const first = await bob.client.send('alice', 'it is me, from the choir');
    await first.accepted;
    const [asked] = await take(alice.client, 'contact-request', 1);
    const request = {
      from: bob.client.address,
      device: bob.client.device,
      id: first.id,
      text: 'it is me, from the choir',
    };
    expect(asked).toMatchObject(request);
    expect(alice.client.contacts.requests()).toMatchObject([request]);
    const refused = { code: 'contact-needed', retryable: false };
    await expect((await bob.client.send('alice', 'hello?')).accepted).rejects.toMatchObject(refused);
    expect(bob.client.outbox.pending()).toBe(0);
    await alice.client.contacts.accept('bob', { name: 'Bob' });
    await alice.client.contacts.synced();
    expect(alice.client.contacts.requests()).toEqual([]);
    for (const text of ['one', 'two']) await (await bob.client.send('alice', text)).accepted;
    expect(await takeTexts(alice.client, 2)).toEqual(['one', 'two']);
  });

  it('can ask with keys of the largest suite and some lines of text', async () => {
    const suites = { curves: ['c448'], hybrid: true } as const;
    const [carol, dave] = [
      await register(constellation, 'carol', suites),
      await register(constellation, 'dave', suites),
    ];
    clients.push(carol.client, dave.client);
    for (const { client } of [carol, dave]) await client.connect();
    await carol.client.contacts.setPolicy('requests');
    await carol.client.contacts.synced();
    await (await dave.client.send('carol', 'x'.repeat(2_000))).accepted;
    expect((await take(carol.client, 'contact-request', 1))[0]!.text).toHaveLength(2_000);
  });

  it('who asks for too much at once is refused, and may ask for less', async () => {
    const much = 'x'.repeat(LIMITS.contactRequestBytes.value);
    await expect((await bob.client.send('alice', much)).accepted).rejects.toMatchObject({ code: 'contact-needed' });
    await (await bob.client.send('alice', 'a little')).accepted;
    expect(await take(alice.client, 'contact-request', 1)).toMatchObject([{ text: 'a little' }]);
  });

  it('is nobody who was written to, however often it answers, before the policy and after', async () => {
    const carol = await register(constellation, 'carol');
    clients.push(carol.client);
    await carol.client.connect();
    await (await alice.client.send('bob', 'hello')).accepted;
    for (const text of ['one', 'two']) await (await bob.client.send('alice', text)).accepted;
    expect(await takeTexts(alice.client, 2)).toEqual(['one', 'two']);
    await (await carol.client.send('bob', 'hello')).accepted;
    await carol.client.contacts.setPolicy('contacts');
    await carol.client.contacts.synced();
    for (const text of ['three', 'four']) await (await bob.client.send('carol', text)).accepted;
    expect(await takeTexts(carol.client, 2)).toEqual(['three', 'four']);
    // Those are no contacts.
    for (const { client } of [alice, carol]) expect(client.contacts.list()).toEqual([]);
  });

  it('where nobody is to ask is answered the same, and is not heard', async () => {
    await alice.client.contacts.setPolicy('contacts');
    await alice.client.contacts.synced();
    await (await bob.client.send('alice', 'it is me')).accepted;
    await expect((await bob.client.send('alice', 'hello?')).accepted).rejects.toMatchObject({ code: 'contact-needed' });
    alice.network.cut();
    expect((await takeBacklog(alice.client)).map(({ kind }) => kind)).not.toContain('contact-request');
    expect(alice.client.contacts.requests()).toEqual([]);
  });

  it('J04: hears nothing of what became of its request, and a declined one is forgotten', async () => {
    await (await bob.client.send('alice', 'it is me')).accepted;
    await take(alice.client, 'contact-request', 1);
    await alice.client.contacts.decline('bob');
    expect(alice.client.contacts.requests()).toEqual([]);
    expect(bob.network.framesReceived('deliver')).toEqual([]);
  });
});
