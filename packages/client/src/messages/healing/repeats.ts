/**
 * What other devices could not read and get once more (docs/spec/healing.md section 4). Table `again`, numbered in order: a message for one
 * device that waits for a connection, with the account it is encrypted for.
 */
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { RECEIPT_TYPE } from '@sealwire/wire/chain';
import { decodeContent, encodeContent } from '@sealwire/wire/envelope';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { Ledger, Transaction } from '../../storage/ledger.ts';
import { numberOf, orderedKey } from '../../storage/ordered-key.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';
import type { OutgoingChains } from '../chain/outgoing-chains.ts';
import type { DurableEvent } from '../inbox.ts';
import { ANSWERS, mayHappen, spend } from './allowances.ts';
import { type KeptMessages, unshownIn, writeKept } from './kept-messages.ts';

const TABLE = 'again';
/** Of one message to one device: who cannot read it then has another fault. */
const REPEATS = 2;
/** Beyond it nothing more is promised to anybody. */
const WAITING_REPEATS = 1_024;

interface StoredRepeat {
  readonly device: DeviceId;
  readonly to: AccountAddress;
  /** False: it says what is gone, and is shown to nobody. */
  readonly shown: boolean;
}

export interface Repeat extends StoredRepeat {
  readonly key: string;
  readonly content: Uint8Array;
}

export interface Requested {
  /** The device names messages of ours: the session with it was broken. */
  readonly wasBroken: boolean;
  readonly events: readonly DurableEvent[];
  /** For whom something waits now. */
  readonly waiting: readonly AccountAddress[];
  /** What the device could not read was a request of ours, or its receipts. */
  readonly ofUnshown: boolean;
}

const NOTHING: Requested = { wasBroken: false, events: [], waiting: [], ofUnshown: false };

export class Repeats {
  readonly #ledger: Ledger;
  readonly #kept: KeptMessages;
  readonly #written: OutgoingChains;
  readonly #now: () => number;

  constructor(ledger: Ledger, kept: KeptMessages, written: OutgoingChains, now: () => number) {
    this.#ledger = ledger;
    this.#kept = kept;
    this.#written = written;
    this.#now = now;
  }

  /** Those for whom something waits. */
  addressees(): AccountAddress[] {
    return [...new Set(this.#all().map(({ to }) => to))];
  }

  waiting(to: AccountAddress): Repeat[] {
    return this.#all().filter((repeat) => repeat.to === to);
  }

  /** `device` could not read messages under these relay ids, and says so in a session that is good. */
  requested(transaction: Transaction, device: DeviceId, ids: readonly Uint8Array[]): Requested {
    const now = this.#now();
    if (ids.length === 0 || !mayHappen(transaction, ANSWERS, device, now)) return NOTHING;
    spend(transaction, ANSWERS, device, now);
    const asked = ids.map(encodeBase64url);
    const unshown = unshownIn(transaction);
    const moot = asked.filter((id) => unshown.includes(id));
    const wanted = asked.filter((id) => !moot.includes(id));
    const kept = this.#kept.find(transaction, wanted);
    const repeated: string[] = [];
    const gone: string[] = [];
    const waiting = new Set<AccountAddress>();
    for (const id of wanted) {
      const message = kept.get(id);
      // Of what it was not for when it was sent, a device learns nothing.
      const isFor = message?.devices.includes(device) ?? false;
      const times = message?.repeated.filter((each) => each === device).length ?? 0;
      if (!message || !isFor || times >= REPEATS || this.#isFull(transaction)) gone.push(id);
      else {
        const { conversation, number, plaintext } = message;
        const { receipts: _, ...content } = decodeContent(plaintext);
        const again = encodeContent({ ...content, again: decodeBase64url(id) });
        this.#add(transaction, { device, to: conversation, shown: true }, again);
        writeKept(transaction, { ...message, repeated: [...message.repeated, device] });
        kept.set(id, { ...message, repeated: [...message.repeated, device] });
        this.#written.repeated(transaction, conversation, number, device);
        repeated.push(message.id);
        waiting.add(conversation);
      }
    }
    if (gone.length + moot.length > 0) {
      const settled = { gone: gone.map(decodeBase64url), moot: moot.map(decodeBase64url) };
      const content = { type: RECEIPT_TYPE, body: new Uint8Array(0), sentAt: now, ...settled };
      this.#add(transaction, { device, to: accountOf(device), shown: false }, encodeContent(content));
      waiting.add(accountOf(device));
    }
    const isNews = repeated.length + gone.length > 0;
    return {
      wasBroken: repeated.length > 0,
      events: isNews ? [{ kind: 'sent-again', device, ids: repeated, gone: gone.length }] : [],
      waiting: [...waiting],
      ofUnshown: moot.length > 0,
    };
  }

  /** It has been sent, or never will be. */
  done(transaction: Transaction, { key }: Repeat): void {
    transaction.delete(key);
  }

  #all(): Repeat[] {
    return this.#ledger.keys(`${TABLE}/`).map((key) => {
      const { header, blob } = decodeRecord<StoredRepeat>(this.#ledger.get(key)!);
      return { ...header, key, content: blob };
    });
  }

  #isFull(transaction: Transaction): boolean {
    return transaction.keys(`${TABLE}/`).length >= WAITING_REPEATS;
  }

  #add(transaction: Transaction, repeat: StoredRepeat, content: Uint8Array): void {
    const newest = transaction.keys(`${TABLE}/`).at(-1);
    const number = newest === undefined ? 0 : numberOf(newest) + 1;
    transaction.set(orderedKey(TABLE, number), encodeRecord(repeat, content));
  }
}
