/**
 * Takes what the relay delivers, in order (docs/spec/client.md section 6): repeat? → sender in its account's verified manifest? →
 * decrypt → one durable write of ratchet, event and id → acknowledge → application. What cannot be read is reported once, and
 * acknowledged: the relay must not repeat it for ever.
 */
import { encodeBase64url } from '@sealwire/wire/base64url';
import { RECEIPT_TYPE } from '@sealwire/wire/chain';
import { type Content, decodeEnvelope } from '@sealwire/wire/envelope';
import type { CaughtUp, Deliver, Gap } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { WireError } from '@sealwire/wire/wire-error';
import type { PeerBook } from '../accounts/peer-book.ts';
import { deviceOf, type PeerRecord, readPeer, trustIn } from '../accounts/peer-record.ts';
import type { Engines } from '../engines/engines.ts';
import { asClientError, ClientError, isStorageBroken } from '../errors.ts';
import type { IncomingMessage } from '../events.ts';
import type { Timers } from '../runtime.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { readPlaintext } from './bare-plaintext.ts';
import type { ChainName, IncomingChains } from './chain/incoming-chains.ts';
import type { OutgoingChains } from './chain/outgoing-chains.ts';
import { FreshIds } from './fresh-ids.ts';
import type { DurableEvent, Inbox } from './inbox.ts';
import { notePlace } from './mailbox-place.ts';
import type { SeenIds } from './seen.ts';

/** One durable write for at most this many messages, and one acknowledgement. */
const BATCH = 32;
const ACKNOWLEDGE_WITHIN_MS = 100;
/**
 * What may wait here: whatever window the relay announces, twice the one of the specification, which leaves room for gaps and the rest.
 * A relay that sends more does not look at acknowledgements.
 */
const WAITING_DELIVERIES = 2 * LIMITS.windowMessages.value;
const WAITING_BYTES = 2 * LIMITS.windowBytes.value;
/** What the directory can say about an account that makes its messages unbelievable for good; anything else is asked again. */
const UNBELIEVABLE = [
  'unknown-account',
  'account-key-changed',
  'manifest-invalid',
  'manifest-rollback',
  'manifest-fork',
];

export interface ReceiverOptions {
  readonly ledger: Ledger;
  readonly inbox: Inbox;
  readonly seen: SeenIds;
  readonly book: PeerBook;
  readonly engines: Engines;
  readonly heard: IncomingChains;
  readonly written: OutgoingChains;
  /** The server has lost something: it was restored from a backup. */
  readonly setback: () => void;
  /** A message has arrived whose sender is owed a receipt. */
  readonly owing: (conversation: AccountAddress) => void;
  readonly me: DeviceId;
  readonly timers: Timers;
  readonly acknowledge: (seq: number) => void;
  /** This link is of no use; the relay repeats on the next one, not before `retryAfterMs`. */
  readonly drop: (reason: string, retryAfterMs?: number) => void;
  readonly broken: (reason: ClientError) => void;
}

type Delivery = Deliver | Gap | CaughtUp;
type Refusal = { readonly code: string; readonly suspect?: DeviceId };
type Opened =
  | { readonly message: IncomingMessage; readonly chain: ChainName; readonly content: Content | undefined }
  | { readonly refused: Refusal };

export class Receiver {
  readonly #options: ReceiverOptions;
  #queue: Delivery[] = [];
  #queuedBytes = 0;
  #working: Promise<void> | undefined;
  /** Counts links: what was delivered on one is never acknowledged on the next, which may not have sent it yet. */
  #link = 0;
  #stored = 0;
  #cancelAcknowledgement: (() => void) | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  take(delivery: Delivery): void {
    this.#queuedBytes += bytesOf(delivery);
    if (this.#queue.length >= WAITING_DELIVERIES || this.#queuedBytes > WAITING_BYTES) {
      this.#options.drop('the relay sends more than its window');
      return;
    }
    this.#queue.push(delivery);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Resolves when nothing is under way; to be called when offline. */
  async idle(): Promise<void> {
    await this.#working;
  }

  offline(): void {
    this.#link += 1;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#stored = 0;
    this.#cancelAcknowledgement?.();
    this.#cancelAcknowledgement = undefined;
    this.#options.inbox.offline();
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#options.inbox.room();
      const link = this.#link;
      const batch = this.#queue.splice(0, BATCH);
      for (const delivery of batch) this.#queuedBytes -= bytesOf(delivery);
      try {
        await this.#store(batch);
        if (link === this.#link) this.#afterStore(batch);
      } catch (error) {
        const reason = asClientError(error, 'engine-failed');
        // What cannot be judged now is as good as not delivered: the relay has the messages, and repeats them on the next link.
        if (isStorageBroken(reason)) this.#options.broken(reason);
        else if (link === this.#link)
          this.#options.drop(`cannot take what was delivered: ${reason.code}`, reason.retryAfterMs);
      }
    }
  }

  async #store(batch: readonly Delivery[]): Promise<void> {
    const { ledger, seen, setback } = this.#options;
    const unknownSenders = new Map<DeviceId, string>();
    for (const delivery of batch) {
      if (delivery.kind !== 'deliver' || unknownSenders.has(delivery.sender)) continue;
      if (seen.has(delivery.sender, encodeBase64url(delivery.id))) continue;
      const refusal = await this.#judge(delivery.sender);
      if (refusal) unknownSenders.set(delivery.sender, refusal);
    }
    const publish: (() => void)[] = [];
    const link = this.#link;
    await ledger.commit((transaction) => {
      if (notePlace(transaction, batch)) publish.push(setback);
      const fresh = new FreshIds(seen);
      for (const delivery of batch) publish.push(...this.#storeOne(transaction, delivery, fresh, unknownSenders, link));
      publish.push(seen.add(transaction, fresh.list));
    });
    for (const each of publish) each();
  }

  /** Why nothing of this device is believed; undefined when its account's manifest names it. Throws when that cannot be found out now. */
  async #judge(sender: DeviceId): Promise<string | undefined> {
    const { book, me } = this.#options;
    if (sender === me) return 'own-device';
    const known = book.find(accountOf(sender));
    if (known && deviceOf(known, sender)) return undefined;
    try {
      return deviceOf(await book.refresh(accountOf(sender)), sender) ? undefined : 'ghost-device';
    } catch (error) {
      const reason = asClientError(error, 'engine-failed');
      if (!UNBELIEVABLE.includes(reason.code)) throw reason;
      return reason.code;
    }
  }

  #storeOne(
    transaction: Transaction,
    delivery: Delivery,
    fresh: FreshIds,
    unknownSenders: ReadonlyMap<DeviceId, string>,
    link: number,
  ): (() => void)[] {
    const { inbox, book, heard } = this.#options;
    if (delivery.kind === 'caught-up') return [() => inbox.caughtUp()];
    if (delivery.kind === 'gap') {
      const { count, reason, fromSeq, toSeq } = delivery;
      // A gap is told again until its acknowledgement arrives.
      if (!fresh.take(this.#options.me, `gap ${fromSeq}-${toSeq}`)) return [];
      heard.lost(transaction, count);
      return [inbox.add(transaction, { kind: 'gap', count, reason })];
    }
    const { sender, acceptedAt } = delivery;
    const relayId = encodeBase64url(delivery.id);
    if (!fresh.take(sender, relayId)) return [];
    const refusal = unknownSenders.get(sender);
    const opened = refusal ? { refused: { code: refusal } } : this.#open(transaction, delivery);
    if ('message' in opened) {
      // The same message under another relay id: its sender never learnt that the first attempt had arrived.
      if (opened.message.id !== relayId && !fresh.take(sender, opened.message.id)) return [];
      return this.#take(transaction, opened, link);
    }
    const { code, suspect } = opened.refused;
    const published = [
      inbox.add(transaction, { kind: 'undecryptable', id: relayId, device: sender, code, acceptedAt }),
    ];
    if (suspect) {
      book.writeTrust(transaction, suspect, 'unsafe');
      published.push(inbox.add(transaction, { kind: 'identity-change', device: suspect }));
    }
    return published;
  }

  #take(
    transaction: Transaction,
    { message, chain, content }: Exclude<Opened, { refused: Refusal }>,
    link: number,
  ): (() => void)[] {
    const { inbox, heard, written, owing } = this.#options;
    const published: (() => void)[] = [];
    const add = (event: DurableEvent) => published.push(inbox.add(transaction, event));
    if (content?.receipts) {
      const { device, conversation } = message;
      const confirmed = written.confirmed(transaction, conversation, device, content.receipts);
      confirmed.events.forEach(add);
      published.push(confirmed.publish);
    }
    if (content?.link) {
      heard.follow(transaction, chain, { ...content, link: content.link }).forEach(add);
      published.push(() => {
        const conversation = heard.owe(chain);
        if (link === this.#link) owing(conversation);
      });
    }
    if (message.type !== RECEIPT_TYPE) add(message);
    return published;
  }

  #open(transaction: Transaction, { sender, content, body, acceptedAt, id }: Deliver): Opened {
    const peer = readPeer(transaction, accountOf(sender));
    const device = peer && deviceOf(peer, sender);
    if (!peer || !device) return { refused: { code: 'ghost-device' } };
    try {
      const { engine, recipientUser, cipherMessage } = decodeEnvelope(body);
      const conversation = this.#conversation(peer, recipientUser);
      if (!conversation) return { refused: { code: 'wrong-recipient' } };
      const received = { sender: device, recipientUser, content, cipherMessage };
      const chain = { sender, recipientUser };
      const result = this.#options.engines.open(engine, received, transaction);
      if (result.status !== 'done') {
        // The name of a conversation is not authenticated yet: made-up ones must not fill the storage.
        if (recipientUser === accountOf(this.#options.me) || readPeer(transaction, recipientUser))
          this.#options.heard.unreadable(transaction, chain);
        return { refused: result.status === 'error' ? result : { code: 'unknown-engine' } };
      }
      const plain = readPlaintext(result.value);
      const message: IncomingMessage = {
        kind: 'message',
        id: plain.id ?? encodeBase64url(id),
        from: peer.address,
        device: sender,
        conversation,
        type: plain.type,
        body: plain.body.slice(),
        sentAt: plain.sentAt ?? acceptedAt,
        acceptedAt,
        trust: trustIn(peer, sender),
        ...(plain.kind === 'bare' && { bare: true }),
      };
      return { message, chain, content: plain.kind === 'content' ? plain : undefined };
    } catch (error) {
      // Whatever one message does to an engine, it must not come again and again and keep out all that follow.
      return { refused: { code: error instanceof WireError ? error.code : 'engine-failed' } };
    }
  }

  /** Undefined when the encryption was bound to somebody else: a message for another must not be shown as one for us. */
  #conversation(sender: PeerRecord, recipientUser: AccountAddress): AccountAddress | undefined {
    const own = accountOf(this.#options.me);
    if (sender.address === own) return recipientUser;
    return recipientUser === own ? sender.address : undefined;
  }

  #afterStore(batch: readonly Delivery[]): void {
    for (const delivery of batch) {
      if (delivery.kind === 'deliver') this.#stored = Math.max(this.#stored, delivery.seq);
      if (delivery.kind === 'gap') this.#stored = Math.max(this.#stored, delivery.toSeq);
    }
    if (this.#stored === 0) return;
    if (batch.length >= BATCH) this.#acknowledge();
    else this.#cancelAcknowledgement ??= this.#options.timers.after(ACKNOWLEDGE_WITHIN_MS, () => this.#acknowledge());
  }

  #acknowledge(): void {
    this.#cancelAcknowledgement?.();
    this.#cancelAcknowledgement = undefined;
    this.#options.acknowledge(this.#stored);
  }
}

function bytesOf(delivery: Delivery): number {
  return delivery.kind === 'deliver' ? delivery.content.length + delivery.body.length : 0;
}
