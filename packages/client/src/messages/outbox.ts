/**
 * Messages on their way out, durable from the intent to the server's word that it has them (docs/spec/client.md section 5).
 * Table `outbox`, numbered in order of sending: id, addressee and plaintext. Table `sealed`, same numbers: the frames, from the moment
 * it is encrypted. A frame is sent again and again as it is; nothing is ever encrypted twice for one attempt (cases F16, S21).
 */

import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { type AccountAddress, type DeviceId, type MessageId, parseMessageId } from '@sealwire/wire/ids';
import type { OnKeptOut } from '../accounts/kept-out.ts';
import type { ClientError } from '../errors.ts';
import type { Acceptance, SkippedReason } from '../events.ts';
import type { Ledger, Records, Transaction } from '../storage/ledger.ts';
import { numberOf, orderedKey } from '../storage/ordered-key.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

interface StoredEntry {
  readonly id: string;
  readonly to: AccountAddress;
  /** How often it was encrypted. */
  readonly attempt: number;
  /** The relay's id of the newest attempt. */
  readonly relayId?: string;
  /** Devices that the newest attempt is not for, though their account's manifest names them. */
  readonly skipped?: readonly SkippedDevice[];
  /** What the server took of earlier attempts, before it refused a frame of theirs. */
  readonly taken?: readonly TakenFrames[];
  /** The same in every attempt. Absent: `refuse`. */
  readonly onKeptOut?: OnKeptOut;
}

/** Frames of one attempt that the server has taken. */
export interface TakenFrames extends Pick<Acceptance, 'leftOut'> {
  readonly relayId: string;
  /** That they name; those of `leftOut` too. */
  readonly devices: readonly DeviceId[];
}

export interface SkippedDevice {
  readonly device: DeviceId;
  readonly reason: SkippedReason;
}

export interface OutboxEntry extends StoredEntry {
  readonly number: number;
  /** Queued by an earlier process: nobody here waits for its outcome. */
  readonly restored: boolean;
}

/** One encryption of a message. */
export interface Attempt {
  /** Of the first frame. */
  readonly relayId: MessageId;
  readonly frames: readonly Uint8Array[];
  /** What was encrypted: the message with its place in the chain. */
  readonly plaintext: Uint8Array;
  readonly skipped: readonly SkippedDevice[];
}

/** Is told in the transactions of the outbox; what it answers is called once they are durable. */
export interface OutboxWatch {
  queued(transaction: Transaction, id: string, to: AccountAddress, plaintext: Uint8Array): () => void;
  settled(transaction: Transaction, id: string, to: AccountAddress, state: 'accepted' | 'failed'): () => void;
}

interface Waiting {
  readonly resolve: (acceptance: Acceptance) => void;
  readonly reject: (error: ClientError) => void;
}

export class Outbox {
  readonly #ledger: Ledger;
  readonly #watch: OutboxWatch | undefined;
  readonly #onKeptOut: OnKeptOut;
  /** By addressee, each in order. */
  readonly #queues = new Map<AccountAddress, OutboxEntry[]>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #onDequeued = new Set<() => void>();
  #next = 0;
  #count = 0;

  /** `onKeptOut`: of what is queued with no choice of its own. */
  constructor(ledger: Ledger, watch?: OutboxWatch, onKeptOut: OnKeptOut = 'refuse') {
    this.#ledger = ledger;
    this.#watch = watch;
    this.#onKeptOut = onKeptOut;
    for (const key of ledger.keys('outbox/')) {
      const number = numberOf(key);
      this.#enqueue({ ...decodeRecord<StoredEntry>(ledger.get(key)!).header, number, restored: true });
      this.#next = number + 1;
    }
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves when nothing waits. */
  async emptied(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((resolve) => this.#onDequeued.add(resolve));
  }

  addressees(): AccountAddress[] {
    return [...this.#queues.keys()];
  }

  first(to: AccountAddress): OutboxEntry | undefined {
    return this.#queues.get(to)?.[0];
  }

  /** Resolves when the intent is durable; the answer settles with the message's fate. Calls keep their order. */
  async add(
    id: string,
    to: AccountAddress,
    plaintext: Uint8Array,
    onKeptOut = this.#onKeptOut,
  ): Promise<{ accepted: Promise<Acceptance> }> {
    const number = this.#next++;
    const stored: StoredEntry = { id, to, attempt: 0, onKeptOut };
    const accepted = new Promise<Acceptance>((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
    // Whoever does not look at the outcome must not find it among the unhandled rejections.
    accepted.catch(() => undefined);
    try {
      const queued = await this.#ledger.commit((transaction) => {
        transaction.set(orderedKey('outbox', number), encodeRecord(stored, plaintext));
        return this.#watch?.queued(transaction, id, to, plaintext);
      });
      queued?.();
    } catch (error) {
      this.#waiting.delete(number);
      throw error;
    }
    this.#enqueue({ ...stored, number, restored: false });
    return { accepted };
  }

  /** As `add`, in `transaction` and with nobody who waits for the outcome. Call the answer once that is durable. */
  queue(transaction: Transaction, id: string, to: AccountAddress, plaintext: Uint8Array): () => void {
    const number = this.#next++;
    const stored: StoredEntry = { id, to, attempt: 0, onKeptOut: this.#onKeptOut };
    transaction.set(orderedKey('outbox', number), encodeRecord(stored, plaintext));
    return () => this.#enqueue({ ...stored, number, restored: true });
  }

  plaintextOf(entry: OutboxEntry): Uint8Array {
    return decodeRecord(this.#ledger.get(orderedKey('outbox', entry.number))!).blob;
  }

  /** The frames of the newest attempt; empty before the first. */
  framesOf({ number }: OutboxEntry): Uint8Array[] {
    return frameKeys(this.#ledger, number).map((key) => this.#ledger.get(key)!);
  }

  /** The id for the next attempt: the message's own for the first, a fresh one after a refusal, whose id may have been used up. */
  relayIdFor(entry: OutboxEntry, random: (length: number) => Uint8Array): MessageId {
    return parseMessageId(entry.attempt === 0 ? decodeBase64url(entry.id) : random(16));
  }

  /** Stores an attempt in `transaction`; `entry` is replaced by the answer once that is durable (`replace`). */
  seal(transaction: Transaction, entry: OutboxEntry, attempt: Attempt): OutboxEntry {
    const { relayId, frames, plaintext, skipped } = attempt;
    const sealed = { ...entry, attempt: entry.attempt + 1, relayId: encodeBase64url(relayId), skipped };
    write(transaction, sealed, plaintext);
    for (const [index, frame] of frames.entries()) transaction.set(frameKey(entry.number, index), frame);
    return sealed;
  }

  /** The newest attempt was refused, but for the frames of `taken`: its ciphertext is dropped. */
  async unseal(entry: OutboxEntry, taken?: TakenFrames): Promise<void> {
    const unsealed = taken ? { ...entry, taken: [...(entry.taken ?? []), taken] } : entry;
    await this.#ledger.commit((transaction) => {
      deleteFrames(transaction, entry.number);
      if (taken) write(transaction, unsealed, this.plaintextOf(entry));
    });
    this.replace(unsealed);
  }

  replace(entry: OutboxEntry): void {
    const queue = this.#queues.get(entry.to) ?? [];
    const at = queue.findIndex(({ number }) => number === entry.number);
    if (at >= 0) queue[at] = entry;
  }

  /** The server has it. `also` runs in the transaction that forgets it. */
  async accepted(entry: OutboxEntry, acceptance: Acceptance, also: (transaction: Transaction) => void): Promise<void> {
    const settled = await this.#ledger.commit((transaction) => {
      this.#delete(transaction, entry);
      also(transaction);
      return this.#watch?.settled(transaction, entry.id, entry.to, 'accepted');
    });
    settled?.();
    this.#dequeue(entry);
    this.#waiting.get(entry.number)?.resolve(acceptance);
    this.#waiting.delete(entry.number);
  }

  /** It will never be sent. `also` runs in the transaction that forgets it. */
  async failed(entry: OutboxEntry, reason: ClientError, also: (transaction: Transaction) => void): Promise<void> {
    const settled = await this.#ledger.commit((transaction) => {
      this.#delete(transaction, entry);
      also(transaction);
      return this.#watch?.settled(transaction, entry.id, entry.to, 'failed');
    });
    settled?.();
    this.#dequeue(entry);
    this.#waiting.get(entry.number)?.reject(reason);
    this.#waiting.delete(entry.number);
  }

  /** Tells all who wait that this process will not see the outcome. The messages stay. */
  abandon(reason: ClientError): void {
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #delete(transaction: Transaction, { number }: OutboxEntry): void {
    transaction.delete(orderedKey('outbox', number));
    deleteFrames(transaction, number);
  }

  #enqueue(entry: OutboxEntry): void {
    this.#count += 1;
    const queue = this.#queues.get(entry.to);
    if (queue) queue.push(entry);
    else this.#queues.set(entry.to, [entry]);
  }

  #dequeue(entry: OutboxEntry): void {
    const queue = this.#queues.get(entry.to)?.filter(({ number }) => number !== entry.number) ?? [];
    this.#count -= 1;
    if (queue.length > 0) this.#queues.set(entry.to, queue);
    else this.#queues.delete(entry.to);
    for (const resolve of this.#onDequeued) resolve();
    this.#onDequeued.clear();
  }
}

/** The first frame's key is the number alone. */
const frameKey = (number: number, index: number) =>
  index === 0 ? orderedKey('sealed', number) : orderedKey(orderedKey('sealed', number), index);

function frameKeys(records: Records, number: number): string[] {
  const keys: string[] = [];
  for (let key = frameKey(number, 0); records.get(key); key = frameKey(number, keys.length)) keys.push(key);
  return keys;
}

function deleteFrames(transaction: Transaction, number: number): void {
  for (const key of frameKeys(transaction, number)) transaction.delete(key);
}

function write(transaction: Transaction, { number, restored: _, ...stored }: OutboxEntry, plaintext: Uint8Array): void {
  transaction.set(orderedKey('outbox', number), encodeRecord(stored satisfies StoredEntry, plaintext));
}
