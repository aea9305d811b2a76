/**
 * Events on their way to the application, durable until it asks for the next one: a crash in its handler shows the same event again,
 * a repeat from the server never does (docs/spec/client.md section 6). Table `inbox`, numbered in order of arrival.
 *
 * An event with which reading begins for the sixth time is parked (parked-events.ts), and a `parked` event stands in its place. Only the
 * event that a reading begins with is counted on the disk: whatever ended the reading before, a crash too, it ended at this event. Those
 * in between cost no write.
 */
import { ClientError } from '../errors.ts';
import type { CaughtUpEvent, IncomingEvent, ParkedEvent, SetAside } from '../events.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { numberOf, orderedKey } from '../storage/ordered-key.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import { EVENT_TRIES, ParkedEvents, setTries, triesOf } from './parked-events.ts';
import { groupOf, merged } from './receipts/receipt-merging.ts';
import { textOf } from './text-of.ts';

const TABLE = 'inbox';
/** Beyond it nothing more is taken from the server, which keeps the rest. */
export const INBOX_EVENTS = 1_000;
/** The same in bytes: records are held in memory. */
export const INBOX_BYTES = 16 * 1_024 * 1_024;
const CAUGHT_UP: CaughtUpEvent = { kind: 'caught-up' };

/** What is stored; `caught-up` is not. */
export type DurableEvent = Exclude<IncomingEvent, CaughtUpEvent>;

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** End, instead of waiting, when the backlog has been read. */
  readonly untilCaughtUp?: boolean;
}

type Arrived = (transaction: Transaction, event: DurableEvent) => () => void;

export class Inbox {
  readonly #ledger: Ledger;
  readonly #arrived: Arrived;
  /** Keys of stored events, and the markers between them, in order. */
  #queue: (string | CaughtUpEvent)[];
  #next: number;
  readonly #parked: ParkedEvents;
  /** By group: the event that more may still go into, since no reader has it. */
  readonly #open = new Map<string, string>();
  /** The event that the last reading left behind, when it did not begin with it. */
  #left: string | undefined;
  #caughtUp = false;
  #reading = false;
  #ended: ClientError | 'closed' | undefined;
  readonly #waiting = new Set<() => void>();

  /** `arrived` is told of each event in the transaction that adds it; its answer is called once that is durable. */
  constructor(ledger: Ledger, arrived: Arrived = () => () => {}) {
    this.#ledger = ledger;
    this.#arrived = arrived;
    this.#queue = ledger.keys(`${TABLE}/`);
    this.#parked = new ParkedEvents(ledger);
    const numbers = [...ledger.keys(`${TABLE}/`).map(numberOf), ...this.#parked.list().map(({ id }) => Number(id))];
    this.#next = numbers.reduce((next, number) => Math.max(next, number + 1), 0);
    for (const key of ledger.keys(`${TABLE}/`)) {
      const group = groupOf(decodeEvent(ledger.get(key)!));
      if (group !== undefined) this.#open.set(group, key);
    }
  }

  /** Stores `event` in `transaction`, in one with what waits of its group; call the answer once that is durable. */
  add(transaction: Transaction, event: DurableEvent): () => void {
    const arrived = this.#arrived(transaction, event);
    const group = groupOf(event);
    const open = group === undefined ? undefined : this.#open.get(group);
    const earlier = open === undefined ? undefined : transaction.get(open);
    if (open !== undefined && earlier) {
      transaction.set(open, encodeEvent(merged(decodeEvent(earlier), event)));
      return arrived;
    }
    const key = orderedKey(TABLE, this.#next++);
    transaction.set(key, encodeEvent(event));
    if (group !== undefined) this.#open.set(group, key);
    return () => {
      arrived();
      this.#queue.push(key);
      this.#wake();
    };
  }

  caughtUp(): void {
    this.#caughtUp = true;
    // Said twice, it is no news: a relay could say it without end.
    if (this.#queue.at(-1) !== CAUGHT_UP) this.#queue.push(CAUGHT_UP);
    this.#wake();
  }

  /** The connection is lost: whether there is a backlog is unknown again. */
  offline(): void {
    this.#caughtUp = false;
    this.#queue = this.#queue.filter((entry) => typeof entry === 'string');
    this.#wake();
  }

  /** Readers get what is there, and then end: in silence, or with the reason why there will never be more. */
  end(reason: ClientError | 'closed'): void {
    this.#ended ??= reason;
    this.#wake();
  }

  /** Resolves when the inbox holds fewer than `INBOX_EVENTS` and `INBOX_BYTES`, or has ended. */
  async room(): Promise<void> {
    while (this.#isFull() && !this.#ended) await this.#change();
  }

  parked(): SetAside[] {
    return this.#parked.list().map(({ id, event }) => ({ id, event: decodeEvent(event) as SetAside['event'] }));
  }

  /** Puts a parked event behind those that wait. Throws `not-found`. */
  async retry(id: string): Promise<void> {
    const key = orderedKey(TABLE, this.#next++);
    await this.#ledger.commit((transaction) => {
      const event = this.#parked.unpark(transaction, id);
      if (!event)
        throw new ClientError('not-found', `no event ${id} is parked: it was asked for again, or went for newer ones`);
      transaction.set(key, event);
    });
    this.#queue.push(key);
    this.#wake();
  }

  /** Throws `busy`: two readers would each see a part. */
  async *read(options: ReadOptions): AsyncGenerator<IncomingEvent, void, undefined> {
    if (this.#reading) throw new ClientError('busy', 'somebody reads the messages already: end that loop first');
    this.#reading = true;
    const wake = () => this.#wake();
    options.signal?.addEventListener('abort', wake);
    let first = true;
    try {
      while (!options.signal?.aborted) {
        const entry = this.#queue[0];
        if (entry === undefined) {
          if (this.#ended === 'closed' || (options.untilCaughtUp && this.#caughtUp)) return;
          if (this.#ended) throw this.#ended;
          await this.#change();
        } else if (typeof entry === 'string') {
          await this.#closeGroup(entry);
          const event = first ? await this.#begin(entry) : decodeEvent(this.#ledger.get(entry)!);
          if (!event && this.#ended === 'closed') return;
          if (!event) continue;
          this.#left = first ? undefined : entry;
          first = false;
          yield event;
          // Asked for the next one: this one is done with.
          this.#left = undefined;
          if (!(await this.#forget(entry))) return;
        } else {
          this.#drop(entry);
          yield entry;
          if (options.untilCaughtUp) return;
        }
      }
    } finally {
      this.#reading = false;
      options.signal?.removeEventListener('abort', wake);
    }
  }

  /** Nothing more goes into the event at `key`; what was on its way there is in it now. */
  async #closeGroup(key: string): Promise<void> {
    const group = [...this.#open].find(([, open]) => open === key)?.[0];
    // Behind every change that has begun.
    if (group !== undefined) await this.#commit(() => this.#open.delete(group));
  }

  /** The event at `key`, with which reading begins once more; undefined when it went away instead, or the client was closed. */
  async #begin(key: string): Promise<DurableEvent | undefined> {
    const number = numberOf(key);
    const record = this.#ledger.get(key)!;
    const event = decodeEvent(record);
    const tries = Math.max(triesOf(this.#ledger, number), this.#left === key ? 1 : 0);
    if (tries < EVENT_TRIES) {
      const counted = await this.#commit((transaction) => setTries(transaction, number, tries + 1));
      return counted ? event : undefined;
    }
    if (event.kind === 'parked') {
      // What it tells is in the list of parked events, too.
      await this.#forget(key);
      return undefined;
    }
    let notice: ParkedEvent | undefined;
    await this.#commit((transaction) => {
      const [gone] = this.#parked.park(transaction, number, record);
      const forgotten = gone === undefined ? {} : { forgotten: String(gone) };
      notice = { kind: 'parked', id: String(number), what: event.kind, ...forgotten };
      transaction.set(key, encodeEvent(notice));
      setTries(transaction, number, 1);
    });
    return notice;
  }

  /** False when the client was closed meanwhile: the event stays for the next reader. */
  async #forget(key: string): Promise<boolean> {
    const forgotten = await this.#commit((transaction) => {
      transaction.delete(key);
      setTries(transaction, numberOf(key), 0);
    });
    if (forgotten) this.#drop(key);
    return forgotten;
  }

  /** False when the client was closed meanwhile, and nothing has changed. */
  async #commit(work: (transaction: Transaction) => void): Promise<boolean> {
    try {
      await this.#ledger.commit(work);
      return true;
    } catch (error) {
      if (this.#ended === 'closed') return false;
      throw error;
    }
  }

  #drop(entry: string | CaughtUpEvent): void {
    const at = this.#queue.indexOf(entry);
    if (at >= 0) this.#queue.splice(at, 1);
    this.#wake();
  }

  #isFull(): boolean {
    if (this.#queue.length >= INBOX_EVENTS) return true;
    let bytes = 0;
    for (const entry of this.#queue) if (typeof entry === 'string') bytes += this.#ledger.get(entry)?.length ?? 0;
    return bytes >= INBOX_BYTES;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

function encodeEvent(event: DurableEvent): Uint8Array {
  if (event.kind !== 'message' && event.kind !== 'message-edited') return encodeRecord(event);
  const { body, text: _, ...header } = event;
  return encodeRecord(header, body);
}

function decodeEvent(record: Uint8Array): DurableEvent {
  const { header, blob } = decodeRecord<DurableEvent>(record);
  return header.kind === 'message' || header.kind === 'message-edited' ? textIn({ ...header, body: blob }) : header;
}

/** With `text` where there is one. */
function textIn<Event extends { readonly type: string; readonly body: Uint8Array }>(event: Event): Event {
  const text = textOf(event.type, event.body);
  return text === undefined ? event : { ...event, text };
}
