/**
 * What this device has sent and not every recipient has confirmed, so that it can be sent again to one that could not read it
 * (docs/spec/healing.md section 4). Table `kept`, key `kept/CONVERSATION NUMBER`, beside the record of the same name in `sent`.
 * Table `unshown`, one record: relay ids of messages that no application is shown, which need not be sent again.
 */
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { AccountAddress, DeviceId, MessageId } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';
import { areOfOneAttempt } from '../send-frames.ts';

/** Of all conversations together; of one, as many as it has unconfirmed ones (outgoing-chains.ts). */
export const KEPT_MESSAGES = 512;
export const KEPT_BYTES = 4 * 1_024 * 1_024;
/** As long as a relay keeps a message that nobody fetches. */
export const KEPT_MS = 30 * 24 * 60 * 60_000;
/** The bounds are looked after once in so many messages. */
const SWEEP_EVERY = 32;
const UNSHOWN = 'unshown/ids';
const UNSHOWN_IDS = 64;

interface StoredMessage {
  readonly id: string;
  /** Of each attempt under which the relay accepted it, base64url. */
  readonly relayIds: readonly string[];
  /** That it was encrypted for; nobody else ever gets it. */
  readonly devices: readonly DeviceId[];
  /** ms. */
  readonly at: number;
  /** One entry for each time that it was sent again to a device. */
  readonly repeated: readonly DeviceId[];
}

export interface KeptMessage extends StoredMessage {
  readonly conversation: AccountAddress;
  readonly number: number;
  readonly plaintext: Uint8Array;
}

export class KeptMessages {
  readonly #now: () => number;
  #sinceSweep = SWEEP_EVERY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The server has taken a message, for these devices. */
  keep(transaction: Transaction, message: Omit<KeptMessage, 'at' | 'repeated'>): void {
    writeKept(transaction, { ...message, at: this.#now(), repeated: [] });
    this.#sinceSweep += 1;
    if (this.#sinceSweep < SWEEP_EVERY) return;
    this.#sinceSweep = 0;
    this.#sweep(transaction);
  }

  /** By relay id, base64url, or by the message's own. */
  find(records: Records, wanted: readonly string[]): Map<string, KeptMessage> {
    const found = new Map<string, KeptMessage>();
    for (const key of records.keys('kept/')) {
      const message = readKept(records, key);
      const ids = [message.id, ...message.relayIds];
      for (const id of wanted) if (ids.some((each) => areOfOneAttempt(each, id))) found.set(id, message);
    }
    return found;
  }

  #sweep(transaction: Transaction): void {
    const all = transaction.keys('kept/').map((key) => ({ key, ...readKept(transaction, key) }));
    all.sort((a, b) => b.at - a.at);
    let bytes = 0;
    for (const [rank, { key, at, plaintext }] of all.entries()) {
      bytes += plaintext.length;
      if (rank >= KEPT_MESSAGES || bytes > KEPT_BYTES || at < this.#now() - KEPT_MS) transaction.delete(key);
    }
  }
}

export function writeKept(transaction: Transaction, message: KeptMessage): void {
  const { conversation, number, plaintext, ...stored } = message;
  transaction.set(keptKey(conversation, number), encodeRecord(stored, plaintext));
}

/** Everybody has confirmed it, or it is one of too many. */
export function forgetKept(transaction: Transaction, conversation: AccountAddress, number: number): void {
  transaction.delete(keptKey(conversation, number));
}

/** A message under this relay id is shown to nobody. */
export function writeUnshown(transaction: Transaction, relayId: MessageId): void {
  const ids = [...unshownIn(transaction), encodeBase64url(relayId)].slice(-UNSHOWN_IDS);
  transaction.set(UNSHOWN, encodeRecord({ ids }));
}

export function unshownIn(records: Records): readonly string[] {
  const stored = records.get(UNSHOWN);
  return stored ? decodeRecord<{ ids: readonly string[] }>(stored).header.ids : [];
}

const keptKey = (conversation: AccountAddress, number: number) => `kept/${conversation} ${number}`;

function readKept(records: Records, key: string): KeptMessage {
  const [conversation, number] = key.slice('kept/'.length).split(' ') as [AccountAddress, string];
  const { header, blob } = decodeRecord<StoredMessage>(records.get(key)!);
  // Records of versions that sent one frame a message have none: they are found by the message's own id.
  return { ...header, relayIds: header.relayIds ?? [], conversation, number: Number(number), plaintext: blob };
}
