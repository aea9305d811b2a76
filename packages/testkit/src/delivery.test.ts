/** Promises of docs/spec/client.md sections 5 and 6 under faults: lost answers, cut links, crashes at every step. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import type { StorageChange } from '@sealwire/client/storage';
import type { Send } from '@sealwire/wire/frames';
import { type Constellation, startConstellation } from './constellation.ts';
import { afterCrash, join, type Person, register, take, takeBacklog, takeTexts } from './person.ts';

let constellation: Constellation;
let people: Person[];
let alice: Person;
let bob: Person;

beforeEach(async () => {
  constellation = await startConstellation({
    relay: {
      mailbox: { messages: 2_000, bytes: 2 ** 26, lifeMs: 1e9, whenFull: 'trim', memory: { ms: 1e9, messages: 1e6 } },
    },
  });
  alice = await register(constellation, 'alice');
  bob = await register(constellation, 'bob');
  people = [alice, bob];
});

afterEach(async () => {
  for (const { client } of people) await client.close();
  await constellation.stop();
});

/** `person` goes on in a new process with what its storage held. */
async function crash(person: Person): Promise<Person> {
  const next = await afterCrash(person);
  people.push(next);
  return next;
}

/** A message that has arrived, so that both sides have a session. */
async function meet(): Promise<void> {
  await alice.client.connect();
  await bob.client.connect();
  await alice.client.send('bob', 'hello');
  await takeTexts(bob.client, 1);
}

const problem = (status: number, code: string) =>
  Response.json({ type: 'about:blank', title: code, status, code, retryable: false }, { status });

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

describe('sending', () => {
  it('L07: 1000 messages queued offline arrive in order, each once', async () => {
    const texts = numbers(1_000);
    const outgoing = await Promise.all(texts.map((text) => alice.client.send('bob', text)));
    expect(alice.client.outbox.pending()).toBe(1_000);
    await Promise.all([alice.client.connect(), bob.client.connect()]);
    expect(await takeTexts(bob.client, 1_000)).toEqual(texts);
    await Promise.all(outgoing.map(({ accepted }) => accepted));
    expect(alice.client.outbox.pending()).toBe(0);
  }, 60_000);

  it('what a limit of the relay refuses stays in the outbox, and goes out in order when there is room again', async () => {
    const clock = { now: Date.now() };
    await constellation.stop();
    constellation = await startConstellation({
      now: () => clock.now,
      relay: { messagesPerPair: { burst: 2, perSecond: 1 } },
    });
    const options = { now: () => clock.now };
    alice = await register(constellation, 'alice', options);
    bob = await register(constellation, 'bob', options);
    people.push(alice, bob);
    let refusals = 0;
    alice.network.incoming = (frame) => {
      if (frame.kind === 'rejected' && frame.code === 'too-many-requests') refusals += 1;
      return frame;
    };
    await Promise.all([alice.client.connect(), bob.client.connect()]);
    const outgoing = [];
    for (const text of numbers(4)) outgoing.push(await alice.client.send('bob', text));
    expect(await takeTexts(bob.client, 2)).toEqual(['0', '1']);
    while (refusals < 2) await turn();
    expect(alice.client.outbox.pending()).toBe(2);
    clock.now += 2_000;
    expect(await takeTexts(bob.client, 2)).toEqual(['2', '3']);
    await Promise.all(outgoing.map(({ accepted }) => accepted));
    expect(alice.client.outbox.pending()).toBe(0);
  });

  it('the outbox survives a crash, and keeps its order', async () => {
    for (const text of numbers(5)) await alice.client.send('bob', text);
    const later = await crash(alice);
    expect(later.client.outbox.pending()).toBe(5);
    await later.client.send('bob', '5');
    await Promise.all([later.client.connect(), bob.client.connect()]);
    expect(await takeTexts(bob.client, 6)).toEqual(numbers(6));
  });

  it('F16, S21: a crash between encryption and network resends the same ciphertext under the same id', async () => {
    await meet();
    const lost: Send[] = [];
    const encrypted = new Promise<void>((resolve) => {
      alice.network.outgoing = (frame) => {
        if (frame.kind !== 'send') return frame;
        lost.push(frame);
        resolve();
        return undefined;
      };
    });
    await alice.client.send('bob', 'once');
    await encrypted;
    const later = await crash(alice);
    await later.client.connect();
    expect(await takeTexts(bob.client, 1)).toEqual(['once']);
    expect(later.network.framesSent('send')).toEqual(lost);
    while (later.client.outbox.pending() > 0) await turn();
  });

  it('a lost answer: the same frame again, and the recipient sees one message', async () => {
    await meet();
    alice.network.incoming = (frame) => (frame.kind === 'accepted' ? undefined : frame);
    const { accepted } = await alice.client.send('bob', 'did you get it?');
    expect(await takeTexts(bob.client, 1)).toEqual(['did you get it?']);
    alice.network.incoming = (frame) => frame;
    alice.network.cut();
    await accepted;
    const [first, second] = alice.network.framesSent('send').slice(-2);
    expect(second).toEqual(first);
    await alice.client.send('bob', 'next');
    expect(await takeTexts(bob.client, 1)).toEqual(['next']);
  });

  it.each([
    ['a login page in between', () => new Response('<html>log in</html>')],
    ['a directory that does not know the login server’s newest key', () => problem(401, 'unauthorized')],
  ])('%s costs no message: it stays in the outbox and goes out later', async (_, answer) => {
    await alice.client.connect();
    await bob.client.connect();
    let refusals = 0;
    alice.network.intercept = async (request, ask) => {
      if (!/\/(manifests|lime)/.test(request.url) || refusals >= 3) return ask();
      refusals += 1;
      return answer();
    };
    const { accepted } = await alice.client.send('bob', 'through all this');
    await accepted;
    expect(refusals).toBe(3);
    expect(await takeTexts(bob.client, 1)).toEqual(['through all this']);
  });

  it('a relay that never answers: the link is made anew, and the same frame sent again', async () => {
    const short: number[] = [];
    const anna = await register(constellation, 'anna', { short });
    people.push(anna);
    await anna.client.connect();
    await bob.client.connect();
    // Manifests and bundles are here now: what is short below is the wait for the relay alone.
    await (await anna.client.send('bob', 'good morning')).accepted;
    const before = anna.network.framesSent('send').length;
    let silent = true;
    anna.network.incoming = (frame) => (frame.kind === 'accepted' && silent ? undefined : frame);
    short.push(30_000);
    const { accepted } = await anna.client.send('bob', 'hello?');
    while (anna.network.links < 3) await turn();
    silent = false;
    // A busy machine is no relay that never answers.
    short.length = 0;
    await accepted;
    const frames = anna.network.framesSent('send').slice(before);
    for (const frame of frames) expect(frame).toEqual(frames[0]);
    await anna.client.send('bob', 'goodbye');
    expect(await takeTexts(bob.client, 3)).toEqual(['good morning', 'hello?', 'goodbye']);
  });

  it('a server that stops and comes back loses nothing and gets no message twice', async () => {
    await meet();
    await constellation.stop();
    const outgoing = await Promise.all(numbers(20).map((text) => alice.client.send('bob', text)));
    await constellation.start();
    expect(await takeTexts(bob.client, 20)).toEqual(numbers(20));
    await Promise.all(outgoing.map(({ accepted }) => accepted));
  });

  it('to somebody who does not exist: told, and the queue is empty again', async () => {
    await alice.client.connect();
    const { accepted } = await alice.client.send('nobody-here', 'hello?');
    await expect(accepted).rejects.toMatchObject({ code: 'unknown-account' });
    expect(alice.client.outbox.pending()).toBe(0);
  });

  it('a message of an earlier process that can never be sent is reported as an event', async () => {
    const { id } = await alice.client.send('nobody-here', 'hello?');
    const later = await crash(alice);
    await later.client.connect();
    const [event] = await take(later.client, 'send-failed', 1);
    expect(event).toMatchObject({ id, to: 'sip:nobody-here@example.org', code: 'unknown-account' });
  });

  it('A25: a note to self without another device is done at once', async () => {
    await alice.client.connect();
    await (await alice.client.send('alice', 'buy milk')).accepted;
    expect(alice.network.framesSent('send')).toEqual([]);
  });

  it('what is too large is refused before it is queued', async () => {
    const body = new Uint8Array(96 * 1024);
    const sending = alice.client.send('bob', { type: 'application/octet-stream', body });
    await expect(sending).rejects.toMatchObject({ code: 'message-too-large' });
    await expect(alice.client.send('BOB!', 'x')).rejects.toMatchObject({ code: 'bad-address' });
    await expect(alice.client.send('bob', { type: 'nonsense', body })).rejects.toMatchObject({
      code: 'message-too-large',
    });
    await expect(alice.client.send('bob', { type: 'nonsense', body: new Uint8Array(1) })).rejects.toMatchObject({
      code: 'bad-request',
    });
    expect(alice.client.outbox.pending()).toBe(0);
  });
});

describe('receiving', () => {
  it('A03, A06: acknowledgements lost, link cut: the relay repeats, the application sees each message once', async () => {
    await meet();
    bob.network.outgoing = (frame) => (frame.kind === 'ack' ? undefined : frame);
    for (const text of numbers(3)) await alice.client.send('bob', text);
    expect(await takeTexts(bob.client, 3)).toEqual(numbers(3));
    bob.network.outgoing = (frame) => frame;
    bob.network.cut();
    await alice.client.send('bob', 'last');
    expect(await takeTexts(bob.client, 1)).toEqual(['last']);
    const seqs = bob.network.framesReceived('deliver').map(({ seq }) => seq);
    expect(seqs.length).toBeGreaterThan(new Set(seqs).size);
    // Acknowledged now: one more link brings nothing of it again.
    await settled(bob);
    const before = bob.network.framesReceived('deliver').length;
    bob.network.cut();
    await alice.client.send('bob', 'really last');
    expect(await takeTexts(bob.client, 1)).toEqual(['really last']);
    expect(bob.network.framesReceived('deliver').length).toBe(before + 1);
  });

  it('A04: a crash before the message was stored: it comes again, and is decrypted', async () => {
    const storage = new GatedStorage();
    bob = await register(constellation, 'robert', { storage });
    people.push(bob);
    await bob.client.connect();
    await alice.client.connect();
    storage.open = false;
    await (await alice.client.send('robert', 'fragile')).accepted;
    await storage.blocked;
    const later = await crash({ ...bob, storage: storage.copy() });
    await later.client.connect();
    expect(await takeTexts(later.client, 1)).toEqual(['fragile']);
    storage.release();
  });

  it('a crash in the handler shows the message again, a repeat of the relay does not', async () => {
    await meet();
    await alice.client.send('bob', 'handle with care');
    await expect(
      (async () => {
        for await (const event of bob.client.messages()) if (event.kind === 'message') throw new Error('handler died');
      })(),
    ).rejects.toThrow('handler died');
    const later = await crash(bob);
    await later.client.connect();
    expect(await takeTexts(later.client, 1)).toEqual(['handle with care']);
    expect((await takeBacklog(later.client)).map(({ kind }) => kind)).toEqual(['caught-up']);
  });

  it('garbage is reported once, acknowledged, and stops nothing', async () => {
    await meet();
    alice.network.outgoing = (frame) => {
      if (frame.kind !== 'send') return frame;
      return {
        ...frame,
        parts: frame.parts.map(({ device, content }) => ({ device, content: content.map((byte) => byte ^ 1) })),
      };
    };
    await (await alice.client.send('bob', 'broken')).accepted;
    alice.network.outgoing = (frame) => frame;
    await alice.client.send('bob', 'whole');
    const [event] = await take(bob.client, 'undecryptable', 1);
    expect(event).toMatchObject({ device: alice.client.device });
    expect(await takeTexts(bob.client, 1)).toEqual(['whole']);
    bob.network.cut();
    await alice.client.send('bob', 'after');
    expect((await takeUntilText(bob, 'after')).map(({ kind }) => kind)).not.toContain('undecryptable');
  });

  it('A20: a device that has been away until its mailbox was full keeps nothing from the account’s other one', async () => {
    await constellation.stop();
    constellation = await startConstellation({
      relay: {
        mailbox: { messages: 3, bytes: 2 ** 26, lifeMs: 1e9, whenFull: 'trim', memory: { ms: 1e9, messages: 1e6 } },
      },
    });
    alice = await register(constellation, 'alice');
    bob = await register(constellation, 'bob');
    const away = await join(constellation, bob);
    people.push(alice, bob, away);
    await Promise.all([alice.client.connect(), bob.client.connect()]);
    for (const text of numbers(6)) {
      expect(await (await alice.client.send('bob', text)).accepted).toEqual({ leftOut: [], keptOut: [] });
      expect(await takeTexts(bob.client, 1)).toEqual([text]);
    }
  });

  it('A20: what the mailbox trimmed is told as a gap, once', async () => {
    await constellation.stop();
    constellation = await startConstellation({
      relay: {
        mailbox: { messages: 3, bytes: 2 ** 26, lifeMs: 1e9, whenFull: 'trim', memory: { ms: 1e9, messages: 1e6 } },
      },
    });
    alice = await register(constellation, 'alice');
    bob = await register(constellation, 'bob');
    people.push(alice, bob);
    await alice.client.connect();
    for (const text of numbers(5)) await (await alice.client.send('bob', text)).accepted;
    await bob.client.connect();
    const events = await takeBacklog(bob.client);
    expect(events.filter(({ kind }) => kind === 'gap')).toEqual([{ kind: 'gap', count: 2, reason: 'trimmed' }]);
    expect(events.flatMap((event) => (event.kind === 'message' ? [event.text] : []))).toEqual(['2', '3', '4']);
    await settled(bob);
    bob.network.cut();
    await (await alice.client.send('bob', 'later')).accepted;
    expect((await takeUntilText(bob, 'later')).map(({ kind }) => kind)).not.toContain('gap');
  });

  it('A23: caught-up comes after the backlog, and live messages after it', async () => {
    await alice.client.connect();
    for (const text of numbers(3)) await (await alice.client.send('bob', text)).accepted;
    await bob.client.connect();
    const events = await takeBacklog(bob.client);
    expect(events.map((event) => (event.kind === 'message' ? event.text : event.kind))).toEqual([
      '0',
      '1',
      '2',
      'caught-up',
    ]);
  });

  it('one reader at a time', async () => {
    const reading = bob.client.messages()[Symbol.asyncIterator]();
    const first = reading.next();
    await expect(bob.client.messages()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'busy' });
    await bob.client.close();
    expect(await first).toEqual({ value: undefined, done: true });
  });
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Resolves when bob's acknowledgement of the newest delivery is with the relay. */
async function settled(person: Person): Promise<void> {
  const newest = Math.max(...person.network.framesReceived('deliver').map(({ seq }) => seq));
  while (!person.network.framesSent('ack').some(({ upTo }) => upTo >= newest)) await turn();
  for (;;) {
    const { messages } = await constellation.store.mailboxes.usage(person.client.device);
    if (messages === 0) return;
    await turn();
  }
}

async function takeUntilText(person: Person, text: string) {
  const events = [];
  const enough = new AbortController();
  for await (const event of person.client.messages({ signal: enough.signal })) {
    events.push(event);
    if (event.kind === 'message' && event.text === text) enough.abort();
  }
  return events;
}

/** Storage whose writes wait at a gate, and never happen when the process dies before it opens. */
class GatedStorage extends MemoryStorage {
  open = true;
  #blocked: () => void = () => {};
  #release: () => void = () => {};
  readonly blocked = new Promise<void>((resolve) => {
    this.#blocked = resolve;
  });
  readonly #gate = new Promise<void>((resolve) => {
    this.#release = resolve;
  });

  override async write(changes: readonly StorageChange[]): Promise<void> {
    if (!this.open) {
      this.#blocked();
      await this.#gate;
    }
    await super.write(changes);
  }

  release(): void {
    this.open = true;
    this.#release();
  }
}
