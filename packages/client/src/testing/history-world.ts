/** A history in a test's hands, over records in memory and time that passes when the test says so. */
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { encodeContent } from '@sealwire/wire/envelope';
import { type AccountAddress, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import type { IncomingMessage } from '../events.ts';
import { History } from '../history/history.ts';
import type { HistoryChange } from '../history/history-change.ts';
import type { DurableEvent } from '../messages/inbox.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import type { ClientStorage } from '../storage/storage.ts';
import { FakeTime } from './fake-time.ts';

export const ALICE = parseAccountAddress('sip:alice@example.org');
export const BOB = parseAccountAddress('sip:bob@example.org');
export const CAROL = parseAccountAddress('sip:carol@example.org');
export const PASSPHRASE = 'the long passphrase of alice';

const deviceOf = (account: AccountAddress) =>
  parseDeviceId(`${account};gr=urn:uuid:00000000-0000-4000-8000-000000000001`);
export const ME = deviceOf(ALICE);
const utf8 = new TextEncoder();

export class HistoryWorld {
  readonly time = new FakeTime();
  readonly storage: ClientStorage;
  readonly failures: string[] = [];
  ledger!: Ledger;
  history!: History;

  private constructor(storage: ClientStorage) {
    this.storage = storage;
  }

  /** Switched on. */
  static async open(storage: ClientStorage = new MemoryStorage()): Promise<HistoryWorld> {
    const world = new HistoryWorld(storage);
    await world.#start(storage);
    await world.history.configure({ on: true });
    return world;
  }

  /** What the next process finds, when this one dies now. The old one must not be used any more. */
  async reopened(): Promise<HistoryWorld> {
    const world = new HistoryWorld((this.storage as MemoryStorage).copy());
    world.time.ms = this.time.ms;
    world.time.ahead = this.time.ahead;
    await world.#start(world.storage);
    return world;
  }

  async #start(storage: ClientStorage): Promise<void> {
    this.ledger = await Ledger.open(storage);
    const { ledger, time } = this;
    const random = seededRandom(1);
    this.history = new History({
      ledger,
      me: ME,
      now: time.now,
      timers: time,
      random,
      floe: nodeCrypto(),
      addressOf: (name) => name as AccountAddress,
      others: (conversation) => [conversation],
      failed: (code) => this.failures.push(code),
    });
  }

  message(id: string, over: Partial<IncomingMessage> = {}): IncomingMessage {
    const from = over.from ?? BOB;
    const about = { id, from, device: deviceOf(from), conversation: from, sentAt: 1, acceptedAt: 2 };
    const text = { type: 'text/plain', body: utf8.encode(over.text ?? `text ${id}`) };
    return { kind: 'message', ...about, ...text, trust: 'untrusted', ...over };
  }

  /** An event goes into the inbox. */
  reaction(to: string, emoji: string): DurableEvent {
    const about = { from: BOB, device: deviceOf(BOB), conversation: BOB, sentAt: 1, acceptedAt: 2 };
    return { kind: 'reaction', id: to, ...about, emoji };
  }

  async arrives(event: DurableEvent): Promise<void> {
    const publish = await this.ledger.commit((transaction) => this.history.recorder.arrived(transaction, event));
    publish();
  }

  async receive(id: string, over: Partial<IncomingMessage> = {}): Promise<IncomingMessage> {
    const message = this.message(id, over);
    await this.arrives(message);
    return message;
  }

  async send(id: string, to: AccountAddress = BOB, text = `text ${id}`): Promise<void> {
    const content = encodeContent({ type: 'text/plain', body: utf8.encode(text), sentAt: this.time.now(), id });
    const publish = await this.ledger.commit((transaction) =>
      this.history.recorder.queued(transaction, id, to, content),
    );
    publish();
  }

  async change(change: HistoryChange): Promise<void> {
    const publish = await this.ledger.commit((transaction) => this.history.recorder.change(transaction, change));
    publish();
  }

  async show(message: IncomingMessage): Promise<void> {
    const publish = await this.ledger.commit((transaction) => this.history.shown(transaction, message));
    publish();
  }

  /** The texts of a conversation, the newest first. */
  async texts(conversation: AccountAddress = BOB): Promise<(string | undefined)[]> {
    const { messages } = await this.history.page(conversation, { limit: 1_000 });
    return messages.map(({ text }) => text);
  }

  async unread(conversation: AccountAddress = BOB): Promise<number | undefined> {
    const all = await this.history.conversations();
    return all.find((each) => each.conversation === conversation)?.unread;
  }

  /** The file of an export, in pieces of `bytes`. */
  async exported(bytes = 1_000): Promise<Uint8Array[]> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.history.export(PASSPHRASE, { cost: 10 }))
      for (let at = 0; at < piece.length; at += bytes) pieces.push(piece.slice(at, at + bytes));
    return pieces;
  }
}

export async function* from(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
