/**
 * Events on their way to the application, durable until it asks for the next one: a crash in its handler shows the same event again,
 * a repeat from the server never does (docs/spec/client.md section 6). Table `inbox`, numbered in order of arrival.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { CaughtUpEvent, IncomingEvent, IncomingMessage } from '../events.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { numberOf, orderedKey } from '../storage/ordered-key.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const TABLE = 'inbox';
/** Beyond it nothing more is taken from the server, which keeps the rest. */
export const INBOX_EVENTS = 1_000;
const CAUGHT_UP: CaughtUpEvent = { kind: 'caught-up' };

/** What is stored; `caught-up` is not. */
export type DurableEvent = Exclude<IncomingEvent, CaughtUpEvent>;

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** End, instead of waiting, when the backlog has been read. */
  readonly untilCaughtUp?: boolean;
}

export class Inbox {
  readonly #ledger: Ledger;
  /** Keys of stored events, and the markers between them, in order. */
  #queue: (string | CaughtUpEvent)[];
  #next: number;
  #caughtUp = false;
  #reading = false;
  #ended: ClientError | 'closed' | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#queue = ledger.keys(`${TABLE}/`);
    const last = this.#queue.at(-1);
    this.#next = typeof last === 'string' ? numberOf(last) + 1 : 0;
  }

  /** Stores `event` in `transaction`; call the answer once that is durable. */
  add(transaction: Transaction, event: DurableEvent): () => void {
    const key = orderedKey(TABLE, this.#next++);
    transaction.set(key, encodeEvent(event));
    return () => {
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

  /** Resolves when the inbox holds fewer than `INBOX_EVENTS`, or has ended. */
  async room(): Promise<void> {
    while (this.#queue.length >= INBOX_EVENTS && !this.#ended) await this.#change();
  }

  /** Throws `busy`: two readers would each see a part. */
  async *read(options: ReadOptions): AsyncGenerator<IncomingEvent, void, undefined> {
    if (this.#reading) throw new ClientError('busy', 'somebody reads the messages already: end that loop first');
    this.#reading = true;
    const wake = () => this.#wake();
    options.signal?.addEventListener('abort', wake);
    try {
      while (!options.signal?.aborted) {
        const entry = this.#queue[0];
        if (entry === undefined) {
          if (this.#ended === 'closed' || (options.untilCaughtUp && this.#caughtUp)) return;
          if (this.#ended) throw this.#ended;
          await this.#change();
        } else if (typeof entry === 'string') {
          yield decodeEvent(this.#ledger.get(entry)!);
          // Asked for the next one: this one is done with.
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

  /** False when the client was closed meanwhile: the event stays for the next reader. */
  async #forget(key: string): Promise<boolean> {
    try {
      await this.#ledger.commit((transaction) => transaction.delete(key));
    } catch (error) {
      if (this.#ended === 'closed') return false;
      throw error;
    }
    this.#drop(key);
    return true;
  }

  #drop(entry: string | CaughtUpEvent): void {
    const at = this.#queue.indexOf(entry);
    if (at >= 0) this.#queue.splice(at, 1);
    this.#wake();
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
  if (event.kind !== 'message') return encodeRecord(event);
  const { body, text: _, ...header } = event;
  return encodeRecord(header, body);
}

function decodeEvent(record: Uint8Array): DurableEvent {
  const { header, blob } = decodeRecord<DurableEvent>(record);
  return header.kind === 'message' ? messageOf({ ...header, body: blob }) : header;
}

/** With `text` where the media type says so and the bytes are UTF-8. */
function messageOf(
  message: Omit<IncomingMessage, 'text'> & { from: AccountAddress; device: DeviceId },
): IncomingMessage {
  if (!message.type.startsWith('text/')) return message;
  try {
    return { ...message, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message.body) };
  } catch {
    return message;
  }
}
