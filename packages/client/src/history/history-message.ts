/**
 * What a device keeps of a message (docs/spec/history.md section 1), and its bytes: several messages a record, texts in the header, other
 * bodies behind it.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import { corruptStorage } from '../errors.ts';
import type { IncomingMessage } from '../events.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

/** Of a message that this device sent; the best word of any recipient's device. */
export type SentState = 'queued' | 'accepted' | 'not-delivered' | 'delivered' | 'displayed' | 'failed';

export interface Reaction {
  readonly from: AccountAddress;
  /** An emoji. */
  readonly emoji: string;
}

/** A message as it was received or sent, and what became of it. Enough for `client.receipts.displayed`. */
export interface HistoryMessage extends Omit<IncomingMessage, 'kind' | 'acceptedAt'> {
  /** ms, this device's clock: when it was taken, or queued. Never before that of a message above it. */
  readonly at: number;
  /** Of what this device sent. */
  readonly state?: SentState;
  /** ms: from then on it is not there any more. */
  readonly expiresAt?: number;
  /** ms, its author's clock: the text is not the first one. */
  readonly editedAt?: number;
  /** Its author took it back; `body` is empty. */
  readonly deleted?: true;
  /** One of each account at most. */
  readonly reactions?: readonly Reaction[];
}

/** Place in a conversation: time, then order of arrival. */
export type Place = readonly [at: number, number: number];

export interface Entry {
  readonly place: Place;
  readonly message: HistoryMessage;
  /** It came by an import: shown elsewhere, and not counted as unread. */
  readonly imported?: true;
}

type StoredMessage = Omit<HistoryMessage, 'body' | 'text' | 'at' | 'conversation'>;

interface StoredEntry {
  readonly place: Place;
  readonly message: StoredMessage;
  readonly imported?: true;
  /** Absent: the body is the next `bytes` bytes behind the header. */
  readonly text?: string;
  readonly bytes?: number;
}

const utf8 = new TextEncoder();

export function isBefore([at, number]: Place, [otherAt, otherNumber]: Place): boolean {
  return at < otherAt || (at === otherAt && number < otherNumber);
}

/** One record of entries of one conversation. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  const bodies: Uint8Array[] = [];
  const stored = entries.map(({ place, message, imported }): StoredEntry => {
    const { body, text, at: _, conversation: __, ...rest } = message;
    const head = { place, message: rest, ...(imported && { imported }) };
    if (text !== undefined) return { ...head, text };
    bodies.push(body);
    return { ...head, bytes: body.length };
  });
  return encodeRecord({ entries: stored }, concat(bodies));
}

/** Throws `corrupt`. */
export function decodeEntries(record: Uint8Array, conversation: AccountAddress): Entry[] {
  const { header, blob } = decodeRecord<{ entries: StoredEntry[] }>(record);
  let used = 0;
  const entries = header.entries.map(({ place, message, imported, text, bytes = 0 }): Entry => {
    const body = text === undefined ? blob.slice(used, used + bytes) : utf8.encode(text);
    if (text === undefined) used += bytes;
    const content = { body, ...(text !== undefined && { text }) };
    return {
      place,
      message: { ...message, ...content, at: place[0], conversation } as HistoryMessage,
      ...(imported && { imported }),
    };
  });
  if (used !== blob.length) throw corruptStorage('a page of the history');
  return entries;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
