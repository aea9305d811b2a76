/** The SDK over a store that does the least that the port allows: what failed half way is completed, shown once, and in order. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Fate, Steps } from '@sealwire/store/faults';
import { openWeakestStore } from '@sealwire/store/testing/weakest';
import { type Constellation, startConstellation } from './constellation.ts';
import { join, type Person, register, take, takeBacklog, takeTexts } from './person.ts';

let constellation: Constellation;
let steps: Steps;
let people: Person[];
let alice: Person;
let bob: Person;

beforeEach(async () => {
  const weakest = openWeakestStore();
  steps = weakest.steps;
  constellation = await startConstellation({ store: weakest.store, relay: { pollFromMs: 50, pollToMs: 100 } });
  alice = await register(constellation, 'alice');
  bob = await register(constellation, 'bob');
  people = [alice, bob];
});

afterEach(async () => {
  steps.plan(() => 'done');
  for (const { client } of people) await client.close();
  await constellation.stop();
});

/** Resolves when all that the person got is acknowledged. */
async function emptied({ client }: Person): Promise<void> {
  while ((await constellation.store.mailboxes.usage(client.device)).messages > 0)
    await new Promise((resolve) => setImmediate(resolve));
}

describe('over the weakest store', () => {
  it('every fourth write fails, before it happens or after: each message is shown once, in order', async () => {
    const laptop = await join(constellation, bob);
    people.push(laptop);
    await Promise.all([alice, bob, laptop].map(({ client }) => client.connect()));
    await alice.client.send('bob', 'hello');
    for (const { client } of [bob, laptop]) await takeTexts(client, 1);
    steps.plan((step) => (step % 4 !== 0 ? 'done' : step % 8 === 0 ? 'failed' : 'failed-but-persisted'));
    const texts = Array.from({ length: 5 }, (_, i) => `message ${i}`);
    const outgoing = await Promise.all(texts.map((text) => alice.client.send('bob', text)));
    for (const { client } of [bob, laptop]) expect(await takeTexts(client, 5)).toEqual(texts);
    await Promise.all(outgoing.map(({ accepted }) => accepted));
  }, 60_000);

  it('half a message, a device more, and the message again for all: nobody is shown it twice', async () => {
    await Promise.all([alice, bob].map(({ client }) => client.connect()));
    await alice.client.send('bob', 'hello');
    await takeTexts(bob.client, 1);
    // The steps that are counted are the next message’s, not those of this one’s acknowledgement.
    await emptied(bob);
    // It reaches bob’s mailbox; whether it was accepted, alice does not learn.
    let cut: () => void = () => {};
    const fate = new Promise<Fate>((resolve) => {
      cut = () => resolve('failed');
    });
    steps.plan((step) => (step === 3 ? fate : 'done'));
    const { accepted } = await alice.client.send('bob', 'once');
    expect(await takeTexts(bob.client, 1)).toEqual(['once']);
    alice.network.up = false;
    alice.network.cut();
    cut();
    const laptop = await join(constellation, bob);
    people.push(laptop);
    await laptop.client.connect();
    alice.network.up = true;
    await accepted;
    expect(await takeTexts(laptop.client, 1)).toEqual(['once']);
    bob.network.cut();
    expect((await takeBacklog(bob.client)).map(({ kind }) => kind)).not.toContain('message');
  }, 60_000);
});

describe('a full mailbox that refuses', () => {
  it('A20: keeps a message from its own device only, and the sender’s user is told', async () => {
    await constellation.stop();
    const memory = { ms: 1e9, messages: 1e6 };
    constellation = await startConstellation({
      relay: { mailbox: { messages: 2, bytes: 2 ** 26, lifeMs: 1e9, whenFull: 'refuse', memory } },
    });
    alice = await register(constellation, 'alice');
    bob = await register(constellation, 'bob');
    const laptop = await join(constellation, bob);
    people.push(alice, bob, laptop);
    await alice.client.connect();
    await laptop.client.connect();
    for (const text of ['one', 'two']) {
      expect(await (await alice.client.send('bob', text)).accepted).toEqual({ leftOut: [], keptOut: [] });
      expect(await takeTexts(laptop.client, 1)).toEqual([text]);
      await emptied(laptop);
    }
    const third = await alice.client.send('bob', 'three');
    expect(await third.accepted).toEqual({ leftOut: [bob.client.device], keptOut: [] });
    expect(await takeTexts(laptop.client, 1)).toEqual(['three']);
    await emptied(laptop);
    // Nobody has room: the message waits, and the user knows.
    await laptop.client.close();
    for (const text of ['four', 'five']) await (await alice.client.send('bob', text)).accepted;
    const sixth = await alice.client.send('bob', 'six');
    expect(await take(alice.client, 'left-out', 1)).toEqual([
      {
        kind: 'left-out',
        id: sixth.id,
        to: bob.client.address,
        devices: expect.arrayContaining([bob.client.device, laptop.client.device]),
        queued: true,
      },
    ]);
    expect(alice.client.outbox.pending()).toBe(1);
  }, 60_000);
});
