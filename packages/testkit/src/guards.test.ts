/**
 * Guards of the SDK, each with the test that fails without it (docs/testing.md): links that end while a batch is stored, repeats,
 * storage that breaks under sender and receiver. docs/spec/client.md sections 2, 5 and 6.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientError } from '@sealwire/client/errors';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import type { TraceEvent } from '@sealwire/client/runtime';
import type { StorageChange } from '@sealwire/client/storage';
import { type Constellation, startConstellation } from './constellation.ts';
import { type Person, register, take, takeBacklog, takeTexts } from './person.ts';

let constellation: Constellation;
let storage: ObedientStorage;
let people: Person[];
let alice: Person;
let bob: Person;

beforeEach(async () => {
  constellation = await startConstellation();
  storage = new ObedientStorage();
  alice = await register(constellation, 'alice');
  bob = await register(constellation, 'bob', { storage, receiptMessages: false });
  people = [alice, bob];
  await alice.client.connect();
  const looked = new Promise<void>((resolve) => {
    Object.assign(bob.runtime, { trace: ({ name }: TraceEvent) => name === 'own-manifest' && resolve() });
  });
  await bob.client.connect();
  // What it writes of its own accord is behind it.
  await looked;
});

afterEach(async () => {
  storage.release();
  for (const { client } of people) await client.close();
  await constellation.stop();
});

/** Both sides have a session and know each other. */
async function meet(): Promise<void> {
  await (await alice.client.send('bob', 'hello')).accepted;
  expect(await takeTexts(bob.client, 1)).toEqual(['hello']);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

const arrived = () => bob.network.framesReceived('deliver').length;
const linked = (count: number) => until(() => bob.network.framesReceived('welcome').length === count);
const waiting = async () => (await constellation.store.mailboxes.usage(bob.client.device)).messages;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

/** Bob's link ends; on the next one the relay has not got to the messages yet. */
async function nextLinkWithoutDeliveries(): Promise<void> {
  bob.network.incoming = (frame) => (frame.kind === 'deliver' ? undefined : frame);
  bob.network.cut();
  await linked(2);
}

describe('a link that ended', () => {
  it('what it delivered and is stored only now is not acknowledged on the next one, which may not have sent it yet', async () => {
    await meet();
    storage.hold();
    for (const text of numbers(70)) await alice.client.send('bob', text);
    await until(() => arrived() === 71);
    // The first batch is what came first; the second is a full one, which is acknowledged without a pause.
    storage.letOne();
    await until(() => storage.held === 1);
    await nextLinkWithoutDeliveries();
    const acknowledged = bob.network.framesSent('ack').length;
    storage.release();
    const shown = (await takeBacklog(bob.client)).flatMap((event) => (event.kind === 'message' ? [event.text] : []));
    expect(shown.length).toBeGreaterThanOrEqual(32);
    expect(bob.network.framesSent('ack').length).toBe(acknowledged);
    bob.network.incoming = (frame) => frame;
    bob.network.cut();
    expect([...shown, ...(await takeTexts(bob.client, 70 - shown.length))]).toEqual(numbers(70));
  });

  it('what could not be judged on it does not end the next one', async () => {
    await register(constellation, 'carol').then((carol) => people.push(carol));
    let refuse: (() => void) | undefined;
    bob.network.intercept = (request, ask) => {
      if (!request.url.endsWith('/manifests/alice')) return ask();
      return new Promise((resolve) => {
        refuse = () => resolve(new Response('', { status: 500 }));
      });
    };
    await alice.client.send('bob', 'from a stranger');
    await until(() => refuse !== undefined);
    await nextLinkWithoutDeliveries();
    refuse?.();
    await (await bob.client.send('carol', 'the link is alive')).accepted;
    expect(bob.network.links).toBe(2);
    bob.network.intercept = (_request, ask) => ask();
    bob.network.incoming = (frame) => frame;
    bob.network.cut();
    expect(await takeTexts(bob.client, 1)).toEqual(['from a stranger']);
  });
});

describe('more conversations than are served at once', () => {
  it('those that had to wait have their turn when others are done', async () => {
    alice.network.up = false;
    alice.network.cut();
    const toNobody = [];
    for (const number of numbers(8)) toNobody.push((await alice.client.send(`nobody-${number}`, 'hello')).accepted);
    const { accepted } = await alice.client.send('bob', 'the ninth');
    alice.network.up = true;
    for (const failed of toNobody) await expect(failed).rejects.toMatchObject({ code: 'unknown-account' });
    await accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['the ninth']);
  });
});

describe('acknowledgements that got lost', () => {
  beforeEach(async () => {
    await meet();
    bob.network.outgoing = (frame) => (frame.kind === 'ack' ? undefined : frame);
    for (const text of numbers(3)) await alice.client.send('bob', text);
    expect(await takeTexts(bob.client, 3)).toEqual(numbers(3));
    bob.network.outgoing = (frame) => frame;
  });

  it('A03: the relay repeats, and the application sees nothing of it: neither messages nor what cannot be decrypted twice', async () => {
    const before = arrived();
    bob.network.cut();
    expect(await takeBacklog(bob.client)).toEqual([{ kind: 'caught-up' }]);
    expect(arrived()).toBeGreaterThanOrEqual(before + 3);
  });

  it('A06: the repeats are acknowledged though nothing in them is new: no link after the next brings them again', async () => {
    bob.network.cut();
    await takeBacklog(bob.client);
    await until(async () => (await waiting()) === 0);
    const before = arrived();
    bob.network.cut();
    expect(await takeBacklog(bob.client)).toEqual([{ kind: 'caught-up' }]);
    expect(arrived()).toBe(before);
  });
});

describe('a relay that repeats within one batch', () => {
  it('A03: shows the message once, and nothing that cannot be decrypted twice', async () => {
    await meet();
    storage.hold();
    await alice.client.send('bob', 'being stored');
    await until(() => storage.held === 1);
    await alice.client.send('bob', 'twice');
    await until(() => arrived() === 3);
    bob.network.inject(bob.network.framesReceived('deliver').at(-1)!);
    storage.release();
    await alice.client.send('bob', 'after');
    const shown = [];
    for await (const event of bob.client.messages()) {
      shown.push(event.kind === 'message' ? event.text : event.kind);
      if (shown.at(-1) === 'after') break;
    }
    expect(shown.filter((each) => each !== 'caught-up')).toEqual(['being stored', 'twice', 'after']);
  });
});

describe.each([
  ['storage-failed', new Error('no space left on device')],
  ['storage-full', new ClientError('storage-full', 'no room for this page')],
  ['locked', new ClientError('locked', 'another page took this device over')],
])('a storage that breaks (%s)', (code, error) => {
  it('under the sender: nothing leaves, the client stops and says why', async () => {
    const { accepted } = await bob.client.send('alice', 'sealed by nobody');
    bob.network.intercept = async (request, ask) => {
      if (request.url.endsWith('/lime')) storage.broken = error;
      return ask();
    };
    await stops(bob);
    expect(bob.network.framesSent('send')).toEqual([]);
    await expect(accepted).rejects.toMatchObject({ code });
  });

  it('under the sender who gives up: the client stops and says why', async () => {
    bob.network.intercept = async (request, ask) => {
      if (request.url.endsWith('/manifests/nobody-here')) storage.broken = error;
      return ask();
    };
    await bob.client.send('nobody-here', 'hello?');
    await stops(bob);
  });

  it('under the receiver: nothing is acknowledged or shown, the client stops and says why', async () => {
    await meet();
    await until(async () => (await waiting()) === 0);
    const acknowledged = bob.network.framesSent('ack').length;
    storage.broken = error;
    await alice.client.send('bob', 'not stored');
    await stops(bob);
    expect(bob.network.framesSent('ack').length).toBe(acknowledged);
    expect(await waiting()).toBe(1);
  });

  async function stops({ client }: Person): Promise<void> {
    await expect(take(client, 'message', 1)).rejects.toMatchObject({ code });
    expect(client.state).toBe('stopped');
    await expect(client.send('alice', 'after it')).rejects.toMatchObject({ code });
  }
});

/** Storage whose writes wait, one by one, or fail, when a test says so. */
class ObedientStorage extends MemoryStorage {
  /** What every write from now on fails with. */
  broken: Error | undefined;
  #waiting: (() => void)[] | undefined;

  /** Writes that wait. */
  get held(): number {
    return this.#waiting?.length ?? 0;
  }

  hold(): void {
    this.#waiting = [];
  }

  letOne(): void {
    this.#waiting?.shift()?.();
  }

  release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const go of waiting) go();
  }

  override async write(changes: readonly StorageChange[]): Promise<void> {
    const waiting = this.#waiting;
    if (waiting) await new Promise<void>((resolve) => waiting.push(resolve));
    if (this.broken) throw this.broken;
    await super.write(changes);
  }
}
