/**
 * What other devices wrote and this one could not read: when a new session is begun for it, and what is asked for again
 * (docs/spec/healing.md sections 2 and 3). Table `unread`, key `unread/DEVICE`.
 */
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { UNREAD_IDS } from '@sealwire/wire/envelope';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { Engines } from '../../engines/engines.ts';
import type { Unread } from '../../events.ts';
import type { Ledger, Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';
import type { DurableEvent } from '../inbox.ts';
import { forgetSpent, mayHappen, REQUESTS, RESTARTS_OF_ACCOUNT, RESTARTS_OF_DEVICE, spend } from './allowances.ts';

/** A new session in which nothing has been read for so long may be as broken as the one before. */
const UNPROVEN_MS = 60 * 60_000;
/** Of one device; a request names fewer. What is beyond is told as lost at once. */
const UNREAD_MESSAGES = 512;
/** How often one message is asked for. */
const ASKED_TIMES = 3;
/** Who wrote it keeps it no longer. */
const ASKED_FOR_MS = 30 * 24 * 60 * 60_000;

interface UnreadMessage {
  /** Relay id, base64url. */
  readonly id: string;
  /** When it arrived, ms. */
  readonly at: number;
  /** How often it was asked for. */
  readonly asked: number;
  /** It is to be asked for with the next request. */
  readonly wanted: boolean;
}

interface StoredUnread {
  /** The oldest first. */
  readonly messages: readonly UnreadMessage[];
  /** When a session was begun in which nothing was read yet, ms. */
  readonly unprovenSince?: number;
  /** A request is to be sent. */
  readonly due: boolean;
}

export interface Failure {
  readonly device: DeviceId;
  /** Relay id, base64url. */
  readonly id: string;
  readonly code: string;
  /** Whether the device's program knows requests: a LIME client of others would show one as a message. */
  readonly answers: boolean;
}

const NONE: StoredUnread = { messages: [], due: false };

export class UnreadMessages {
  readonly #ledger: Ledger;
  readonly #engines: Engines;
  readonly #now: () => number;

  constructor(ledger: Ledger, engines: Engines, now: () => number) {
    this.#ledger = ledger;
    this.#engines = engines;
    this.#now = now;
  }

  /** Messages that could not be read and have not come again, by device. */
  list(): Unread[] {
    return this.#devices().flatMap((device) => {
      const { length } = this.#young(readUnread(this.#ledger, device));
      return length > 0 ? [{ device, messages: length }] : [];
    });
  }

  /** Devices that a request is due for. */
  due(): DeviceId[] {
    return this.#devices().filter((device) => this.isDue(device));
  }

  isDue(device: DeviceId): boolean {
    return readUnread(this.#ledger, device).due;
  }

  /** A message of a device could not be read, in the transaction that reports it. `asked`: it will be asked for. */
  failed(transaction: Transaction, failure: Failure): { readonly asked: boolean; readonly events: DurableEvent[] } {
    const { device, id, code, answers } = failure;
    const now = this.#now();
    const before = readUnread(transaction, device);
    const { unprovenSince } = before;
    // What was under way in the old session when the new one was begun says nothing about the new one.
    const isNew = unprovenSince !== undefined && now - unprovenSince < UNPROVEN_MS && unprovenSince <= now;
    const restarts =
      !isNew &&
      mayHappen(transaction, RESTARTS_OF_DEVICE, device, now) &&
      mayHappen(transaction, RESTARTS_OF_ACCOUNT, accountOf(device), now);
    if (restarts) {
      spend(transaction, RESTARTS_OF_DEVICE, device, now);
      spend(transaction, RESTARTS_OF_ACCOUNT, accountOf(device), now);
      this.#engines.retireSession(device, transaction);
    }
    const message = { id, at: now, asked: 0, wanted: true };
    const young = this.#young(before);
    const isKept = answers && young.length < UNREAD_MESSAGES;
    const messages = isKept ? [...young, message] : young;
    const due = answers && (before.due || restarts || isNew);
    const since = restarts ? now : unprovenSince;
    writeUnread(transaction, device, { messages, due, ...(since !== undefined && { unprovenSince: since }) });
    return {
      asked: due && isKept,
      events: restarts ? [{ kind: 'session-restarted', device, code, asked: answers }] : [],
    };
  }

  /** Something of the device was read: the session is good, and what was not asked for yet can be. True when that is so. */
  read(transaction: Transaction, device: DeviceId): boolean {
    if (!transaction.get(keyOf(device))) return false;
    const { messages, due } = readUnread(transaction, device);
    const isDue = due || messages.some(({ wanted }) => wanted);
    writeUnread(transaction, device, { messages, due: isDue });
    return isDue;
  }

  /** What was asked for arrives. False when it was not asked for, or has come before. */
  arrived(transaction: Transaction, device: DeviceId, id: Uint8Array): boolean {
    return this.#settle(transaction, device, [id]).length > 0;
  }

  /** The device does not have `gone` any more; nobody would have been shown `moot`. */
  settled(
    transaction: Transaction,
    device: DeviceId,
    gone: readonly Uint8Array[],
    moot: readonly Uint8Array[],
  ): DurableEvent[] {
    this.#settle(transaction, device, moot);
    const messages = this.#settle(transaction, device, gone).length;
    return messages > 0 ? [{ kind: 'messages-gone', device, messages }] : [];
  }

  /** The device could not read a request: what it asked for is asked for again. True when there is something. */
  askAgain(transaction: Transaction, device: DeviceId): boolean {
    const unread = readUnread(transaction, device);
    const messages = this.#young(unread).map((message) => ({ ...message, wanted: message.asked < ASKED_TIMES }));
    const due = messages.some(({ wanted }) => wanted);
    if (due) writeUnread(transaction, device, { ...unread, messages, due });
    return due;
  }

  /** The user wants a new session, whatever is left of the allowances. `answers` as in `Failure`. */
  reset(transaction: Transaction, device: DeviceId, answers: boolean): void {
    this.#engines.retireSession(device, transaction);
    const unread = this.#young(readUnread(transaction, device));
    const messages = unread.map((message) => ({ ...message, asked: 0, wanted: true }));
    writeUnread(transaction, device, { messages, due: answers });
  }

  /** The relay ids to ask for; undefined when nothing may be asked now. A request without ids begins a session and no more. */
  request(device: DeviceId): Uint8Array[] | undefined {
    if (!mayHappen(this.#ledger, REQUESTS, device, this.#now())) return undefined;
    const wanted = this.#young(readUnread(this.#ledger, device)).filter((message) => message.wanted);
    return wanted.slice(0, UNREAD_IDS).map(({ id }) => decodeBase64url(id));
  }

  /** A request for `ids` is encrypted, and costs what it costs. */
  spend(transaction: Transaction, device: DeviceId): void {
    spend(transaction, REQUESTS, device, this.#now());
  }

  /** The server has taken a request for `ids`. */
  asked(transaction: Transaction, device: DeviceId, ids: readonly Uint8Array[]): void {
    const unread = readUnread(transaction, device);
    const names = ids.map(encodeBase64url);
    const messages = unread.messages.map((message) =>
      names.includes(message.id) ? { ...message, asked: message.asked + 1, wanted: false } : message,
    );
    writeUnread(transaction, device, { ...unread, messages, due: messages.some(({ wanted }) => wanted) });
  }

  /** The device has left its account's manifest. */
  forget(transaction: Transaction, device: DeviceId): void {
    transaction.delete(keyOf(device));
    forgetSpent(transaction, device);
  }

  #devices(): DeviceId[] {
    return this.#ledger.keys('unread/').map((key) => key.slice('unread/'.length) as DeviceId);
  }

  #young({ messages }: StoredUnread): UnreadMessage[] {
    const now = this.#now();
    return messages.filter(({ at }) => now - at < ASKED_FOR_MS);
  }

  #settle(transaction: Transaction, device: DeviceId, ids: readonly Uint8Array[]): UnreadMessage[] {
    const unread = readUnread(transaction, device);
    const names = ids.map(encodeBase64url);
    const settled = unread.messages.filter(({ id }) => names.includes(id));
    const messages = unread.messages.filter((message) => !settled.includes(message));
    if (settled.length > 0) writeUnread(transaction, device, { ...unread, messages });
    return settled;
  }
}

const keyOf = (device: DeviceId) => `unread/${device}`;

function readUnread(records: Records, device: DeviceId): StoredUnread {
  const stored = records.get(keyOf(device));
  return stored ? decodeRecord<StoredUnread>(stored).header : NONE;
}

function writeUnread(transaction: Transaction, device: DeviceId, unread: StoredUnread): void {
  const { messages, unprovenSince, due } = unread;
  if (messages.length === 0 && unprovenSince === undefined && !due) transaction.delete(keyOf(device));
  else transaction.set(keyOf(device), encodeRecord(unread));
}
