/**
 * Messages kept on this device (docs/spec/history.md), off unless switched on. What is asked for reads a page of records at a time, so that
 * memory does not grow with what is kept. Everything here happens one after the other, but for the additions of history-recorder.ts.
 */
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { asClientError, isStorageBroken } from '../errors.ts';
import type { DisplayedMessage } from '../messages/receipts/client-receipts.ts';
import type { Timers } from '../runtime.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { Catalogue, PAGE_BYTES, PAGE_MESSAGES, readTalk } from './catalogue.ts';
import { HistoryChanges } from './history-changes.ts';
import { type ExportedPage, type FileTools, openedPages, sealedPages } from './history-file.ts';
import type { Entry, HistoryMessage, Place } from './history-message.ts';
import { type HistoryPage, HistoryReader, type PageOptions } from './history-reader.ts';
import { HistoryRecorder } from './history-recorder.ts';
import { type HistorySettings, readSettings, writeSettings } from './history-settings.ts';
import { HistorySweeper } from './history-sweeper.ts';
import { HistoryWriter } from './history-writer.ts';
import { searchFor } from './search.ts';

export type { HistoryMessage, Reaction, SentState } from './history-message.ts';
export type { HistoryPage, PageOptions } from './history-reader.ts';
export type { HistorySettings, Retention } from './history-settings.ts';

export interface HistoryConversation {
  readonly conversation: AccountAddress;
  readonly last: HistoryMessage;
  /** Messages of others that the user was not shown (`client.receipts.displayed`), nor by another device of ours. */
  readonly unread: number;
  readonly messages: number;
}

export interface SearchOptions extends PageOptions {
  /** A name or an address. Default: in all conversations. */
  readonly conversation?: string;
}

export interface ExportOptions {
  /** scrypt's: 2^cost KiB of memory for who opens it. Default: 17. */
  readonly cost?: number;
}

export interface Imported {
  readonly added: number;
  /** That were there already, or whose time was over. */
  readonly passedOver: number;
}

export interface HistoryOptions extends FileTools {
  readonly ledger: Ledger;
  readonly me: DeviceId;
  readonly now: () => number;
  readonly timers: Timers;
  readonly addressOf: (name: string) => AccountAddress;
  /** Of a conversation, the accounts that write there beside our own; in a group that we have left nobody: it stays as it is. */
  readonly others: (conversation: AccountAddress) => readonly AccountAddress[];
  /** What could not be done in the background. */
  readonly failed: (code: string) => void;
}

/** Of messages that lie alone, of all conversations together: they are loaded. */
const MOST_ALONE = 2_048;
/** A clock may be corrected meanwhile. */
const LOOK_EVERY_MS = 60 * 60_000;
const START: Place = [0, -1];

export class History {
  /** Is told in the transactions that take, queue and settle messages. */
  readonly recorder: HistoryRecorder;
  readonly #options: HistoryOptions;
  readonly #catalogue: Catalogue;
  readonly #reader: HistoryReader;
  readonly #writer: HistoryWriter;
  readonly #changes: HistoryChanges;
  readonly #sweeper: HistorySweeper;
  readonly #woken = new Set<AccountAddress>();
  #turn: Promise<unknown> = Promise.resolve();
  #working = false;
  #closed = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: HistoryOptions) {
    const { ledger, me, now, others } = options;
    const own = accountOf(me);
    this.#options = options;
    this.#catalogue = new Catalogue(ledger);
    const catalogue = this.#catalogue;
    this.recorder = new HistoryRecorder({
      ledger,
      catalogue,
      me,
      now,
      wake: (conversation) => this.#wake(conversation),
    });
    this.#reader = new HistoryReader(catalogue, now);
    this.#writer = new HistoryWriter(ledger, catalogue, own, (transaction) => this.recorder.number(transaction));
    const { reader, writer } = { reader: this.#reader, writer: this.#writer };
    this.#changes = new HistoryChanges({ ledger, catalogue, reader, writer, own, others });
    this.#sweeper = new HistorySweeper(ledger, catalogue, writer, now);
    for (const conversation of catalogue.conversations()) this.#woken.add(conversation);
    // What ended while nobody was here, and what was noted by a process that died.
    if (this.#sweeper.nextAt() !== undefined || ledger.keys('later/').length > 0) this.#work();
  }

  settings(): HistorySettings {
    return readSettings(this.#options.ledger);
  }

  /** Durable, for this device. What is kept already stays when it is switched off (`clear`). Throws `bad-request`. */
  configure(settings: HistorySettings): Promise<void> {
    return this.#alone(async () => {
      await this.#options.ledger.commit((transaction) => writeSettings(transaction, settings));
      await this.#sweeper.run();
    });
  }

  /** Of the conversation with `to`, a name or an address, from the newest message on. Throws `bad-address`, `bad-request`. */
  async page(to: string, options: PageOptions = {}): Promise<HistoryPage> {
    const conversation = this.#options.addressOf(to);
    return this.#alone(() => this.#reader.page([conversation], options));
  }

  /** Those that have messages, the one that was written in last first. */
  conversations(): Promise<HistoryConversation[]> {
    return this.#alone(async () => {
      const all: HistoryConversation[] = [];
      for (const conversation of this.#catalogue.conversations()) {
        const { messages } = await this.#reader.page([conversation], { limit: 1 });
        const { unread } = readTalk(this.#options.ledger, conversation);
        const count = this.#catalogue.count(conversation);
        for (const last of messages) all.push({ conversation, last, unread, messages: count });
      }
      return all.sort((a, b) => b.last.at - a.last.at);
    });
  }

  /**
   * Messages that hold all words of `text`, the newest first, whatever case and accents. Reads everything that is newer than the oldest
   * answer: 100,000 messages take some seconds. Throws `bad-address`, `bad-request`.
   */
  async search(text: string, { conversation, ...options }: SearchOptions = {}): Promise<HistoryPage> {
    const matches = searchFor(text);
    const where = conversation === undefined ? undefined : [this.#options.addressOf(conversation)];
    return this.#alone(() => this.#reader.page(where ?? this.#catalogue.conversations(), options, matches));
  }

  /** Takes messages away, here and nowhere else. Those that are not there are no fault. */
  async remove(messages: readonly Pick<HistoryMessage, 'conversation' | 'from' | 'id'>[]): Promise<void> {
    await this.#alone(async () => {
      for (const message of messages) {
        const { conversation } = message;
        const [place] = await this.#catalogue.placesOf(conversation, [message]);
        if (place) await this.#writer.write(conversation, { alter: { places: [place], change: () => undefined } });
      }
    });
  }

  /** Takes a conversation away, or all. Throws `bad-address`. */
  async clear(to?: string): Promise<void> {
    const one = to === undefined ? undefined : this.#options.addressOf(to);
    await this.#alone(async () => {
      for (const conversation of one ? [one] : this.#catalogue.conversations()) await this.#sweeper.clear(conversation);
    });
  }

  /**
   * All conversations as the bytes of one file (docs/spec/history.md section 5), which `passphrase` opens. Messages that end are not in it.
   * Throws `bad-request` for a passphrase of less than 8 characters.
   */
  export(passphrase: string, { cost }: ExportOptions = {}): AsyncIterable<Uint8Array> {
    return sealedPages(this.#options, passphrase, this.#everything(), cost);
  }

  /**
   * Puts the messages of an export between those that are here; one that is here already stays as it is. What was put in before a fault of
   * the file was found is genuine, and stays. Throws `wrong-passphrase`, `bad-file`.
   */
  async import(file: AsyncIterable<Uint8Array>, passphrase: string): Promise<Imported> {
    let [added, passedOver] = [0, 0];
    for await (const page of openedPages(this.#options, passphrase, file)) {
      const fresh = await this.#alone(() => this.#insert(page));
      added += fresh;
      passedOver += page.entries.length - fresh;
    }
    return { added, passedOver };
  }

  /** The user was shown a message, in this transaction; call the answer once that is durable. */
  shown(transaction: Transaction, { conversation, device, id }: DisplayedMessage): () => void {
    const at = this.#options.now();
    return this.recorder.change(transaction, { kind: 'shown', conversation, device, id, at });
  }

  /** Waits for what is under way, and begins nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#turn;
  }

  async *#everything(): AsyncGenerator<ExportedPage, void, undefined> {
    const conversations = await this.#alone(async () => this.#catalogue.conversations());
    for (const conversation of conversations) {
      let place = START;
      for (;;) {
        const from = place;
        const entries = await this.#alone(() => this.#reader.following(conversation, from));
        if (entries.length === 0) break;
        place = entries.at(-1)!.place;
        const lasting = entries.filter(({ message }) => message.lifetime === undefined);
        if (lasting.length > 0) yield { conversation, entries: lasting };
      }
    }
  }

  /** How many of them were not there. */
  async #insert({ conversation, entries }: ExportedPage): Promise<number> {
    const { ledger } = this.#options;
    const places = await this.#catalogue.placesOf(
      conversation,
      entries.map(({ message }) => message),
    );
    const lasting = ({ message }: Entry) => message.lifetime === undefined;
    const fresh = entries.filter((entry, at) => !places[at] && lasting(entry));
    if (fresh.length === 0) return 0;
    const numbers = await ledger.commit((transaction) => fresh.map(() => this.recorder.number(transaction)));
    const insert = fresh.map(({ place, message }, at): Entry => {
      const { state, ...rest } = message;
      // It waits in no outbox of this device.
      const lasts = state === undefined || state === 'queued' ? rest : message;
      return { place: [place[0], numbers[at]!], message: lasts, imported: true };
    });
    await this.#writer.write(conversation, { insert });
    return fresh.length;
  }

  /** Runs `work` when everything before it is done, and what was noted before it, too. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const answer = this.#turn.then(async () => {
      await this.#changes.run();
      return work();
    });
    this.#turn = answer.catch(() => undefined).then(() => this.#setTimer());
    return answer;
  }

  #wake(conversation: AccountAddress): void {
    this.#woken.add(conversation);
    this.#work();
  }

  /** In the background. */
  #work(): void {
    if (this.#working || this.#closed) return;
    this.#working = true;
    const worked = this.#alone(async () => {
      this.#working = false;
      const woken = [...this.#woken];
      this.#woken.clear();
      for (const conversation of woken) await this.#pack(conversation);
      await this.#sweeper.run();
    });
    worked.catch((error) => {
      this.#working = false;
      const { code } = asClientError(error, 'storage-failed');
      // A storage that takes nothing more is told of by whoever wanted to write.
      if (!isStorageBroken(asClientError(error, 'storage-failed')) || code === 'corrupt') this.#options.failed(code);
    });
  }

  /** Messages that lie alone become pages, when there are enough of them. */
  async #pack(conversation: AccountAddress): Promise<void> {
    const alone = (of: AccountAddress) => this.#catalogue.recents(of);
    const all = this.#catalogue.conversations();
    const isMuch = all.reduce((sum, each) => sum + alone(each).length, 0) > MOST_ALONE;
    for (const each of isMuch ? all : [conversation]) {
      const recents = alone(each);
      const bytes = recents.reduce((sum, recent) => sum + recent.bytes, 0);
      const isPage = recents.length >= PAGE_MESSAGES || bytes >= PAGE_BYTES;
      if (recents.length === 0 || !(isPage || isMuch)) continue;
      await this.#writer.write(each, { pack: new Set(recents.map(({ place }) => place[1])) });
    }
  }

  #setTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const next = this.#closed ? undefined : this.#sweeper.nextAt();
    if (next === undefined) return;
    const { timers, now } = this.#options;
    this.#cancelTimer = timers.after(Math.min(Math.max(1, next - now()), LOOK_EVERY_MS), () => this.#work());
  }
}
