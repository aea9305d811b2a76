/** No false alarm from a crash: sender and recipient die before and after each durable write of a conversation (docs/spec/chain.md section 5). */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import type { StorageChange } from '@sealwire/client/storage';
import { type Constellation, startConstellation } from './constellation.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { acquaint, type Person, register, runtimeOver, takeTexts } from './person.ts';

jest.setTimeout(60_000);

/** Dies at a write: `before` it is on the disk, or after. */
class MortalStorage extends MemoryStorage {
  #writesLeft = Number.POSITIVE_INFINITY;
  #before = false;
  #died: () => void = () => {};
  readonly died = new Promise<void>((resolve) => {
    this.#died = resolve;
  });

  static async from(other: MemoryStorage): Promise<MortalStorage> {
    const storage = new MortalStorage();
    const copy = other.copy();
    const changes = [...(await copy.load())].map(([key, value]) => ({ key, value }));
    await storage.load();
    await storage.write(changes);
    await storage.close();
    return storage;
  }

  dieAt(write: number, before: boolean): void {
    this.#writesLeft = write;
    this.#before = before;
  }

  override async write(changes: readonly StorageChange[]): Promise<void> {
    this.#writesLeft -= 1;
    if (this.#writesLeft < 0 || (this.#writesLeft === 0 && this.#before)) {
      this.#died();
      await new Promise(() => {});
    }
    await super.write(changes);
    if (this.#writesLeft > 0) return;
    this.#died();
    await new Promise(() => {});
  }
}

let constellation: Constellation;
let people: Person[];

beforeEach(async () => {
  constellation = await startConstellation();
  people = [];
});

afterEach(async () => {
  // Who died in a write waits for it for ever; the rest of it is closed by its network.
  await Promise.all(people.map(({ client }) => client.close()));
  await constellation.stop();
});

async function reborn(person: Person): Promise<Person> {
  person.network.up = false;
  person.network.cut();
  const storage = await MortalStorage.from(person.storage as MemoryStorage);
  const network = new FlakyNetwork();
  const runtime = runtimeOver(network);
  const next = { client: await Client.open({ storage, runtime }), network, storage, runtime };
  await next.client.connect();
  return next;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it.each([
  ['sender', [1, 2, 3, 4]],
  ['recipient', [1, 2, 3]],
] as const)(
  'a %s that dies at any write of a message, before or after it: no alarm, and all is confirmed',
  async (who, writes) => {
    let alice = await register(constellation, 'alice');
    let bob = await register(constellation, 'bob');
    await alice.client.connect();
    await bob.client.connect();
    await acquaint(alice, bob);
    await (await alice.client.send('bob', 'first')).accepted;
    const texts = await takeTexts(bob.client, 1);
    for (const write of writes)
      for (const before of [true, false]) {
        if (who === 'sender') {
          alice = await reborn(alice);
          (alice.storage as MortalStorage).dieAt(write, before);
          void alice.client.send('bob', `${write} ${before}`).catch(() => undefined);
          await (alice.storage as MortalStorage).died;
          alice = await reborn(alice);
        } else {
          bob = await reborn(bob);
          (bob.storage as MortalStorage).dieAt(write, before);
          await (await alice.client.send('bob', `${write} ${before}`)).accepted;
          await (bob.storage as MortalStorage).died;
          bob = await reborn(bob);
        }
      }
    people = [alice, bob];
    await (await alice.client.send('bob', 'last')).accepted;
    const enough = new AbortController();
    for await (const event of bob.client.messages({ signal: enough.signal })) {
      if (event.kind === 'caught-up') continue;
      expect(event.kind).toBe('message');
      if (event.kind === 'message') texts.push(event.text!);
      if (texts.at(-1) === 'last') enough.abort();
    }
    expect(texts).toEqual([...new Set(texts)]);
    while (alice.client.outbox.unconfirmed('bob').length > 0) await turn();
  },
);
