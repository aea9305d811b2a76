/**
 * Takes what the relay delivers, in order (docs/spec/client.md section 6): repeat? → sender in its account's verified manifest? →
 * decrypt → one durable write of ratchet, event and id → acknowledge → application. What cannot be read is reported once, and
 * acknowledged: the relay must not repeat it for ever.
 */
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { CaughtUp, Deliver, Gap } from '@sealwire/wire/frames';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { deviceOf } from '../accounts/peer-record.ts';
import type { Engines } from '../engines/engines.ts';
import { asClientError, type ClientError, isStorageBroken } from '../errors.ts';
import type { IncomingGroups } from '../groups/incoming-groups.ts';
import type { Timers } from '../runtime.ts';
import type { Transaction } from '../storage/ledger.ts';
import { FreshIds } from './fresh-ids.ts';
import { IncomingMessages, type IncomingMessagesOptions } from './incoming-messages.ts';
import { notePlace } from './mailbox-place.ts';
import { open } from './opening.ts';
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

export interface ReceiverOptions extends IncomingMessagesOptions {
  readonly seen: SeenIds;
  readonly engines: Engines;
  readonly groups: IncomingGroups;
  /** The server has lost something: it was restored from a backup. */
  readonly setback: () => void;
  readonly timers: Timers;
  readonly acknowledge: (seq: number) => void;
  /** This link is of no use; the relay repeats on the next one, not before `retryAfterMs`. */
  readonly drop: (reason: string, retryAfterMs?: number) => void;
  readonly broken: (reason: ClientError) => void;
}

type Delivery = Deliver | Gap | CaughtUp;

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #incoming: IncomingMessages;
  #queue: Delivery[] = [];
  #queuedBytes = 0;
  #working: Promise<void> | undefined;
  /** Counts links: what was delivered on one is never acknowledged on the next, which may not have sent it yet. */
  #link = 0;
  /** The link on which the server was last seen to have gone back. */
  #setbackOn = -1;
  #stored = 0;
  #cancelAcknowledgement: (() => void) | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#incoming = new IncomingMessages(options);
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
      const isNew = ({ sender, id }: Deliver) => !seen.has(sender, encodeBase64url(id));
      // Once a link: what it is answered by is work for the directory.
      if (notePlace(transaction, batch, isNew) && this.#setbackOn !== link) {
        this.#setbackOn = link;
        publish.push(setback);
      }
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
    const { inbox, heard } = this.#options;
    if (delivery.kind === 'caught-up') return [() => inbox.caughtUp()];
    if (delivery.kind === 'gap') {
      const { count, reason, fromSeq, toSeq } = delivery;
      // A gap is told again until its acknowledgement arrives.
      if (!fresh.take(this.#options.me, `gap ${fromSeq}-${toSeq}`)) return [];
      heard.lost(transaction, count);
      return [inbox.add(transaction, { kind: 'gap', count, reason })];
    }
    const { sender } = delivery;
    const relayId = encodeBase64url(delivery.id);
    if (!fresh.take(sender, relayId)) return [];
    const refusal = unknownSenders.get(sender);
    const opened = refusal ? { refused: { code: refusal } } : open(this.#options, transaction, delivery);
    if ('refused' in opened) return this.#incoming.refuse(transaction, delivery, opened.refused);
    const { id } = opened.message;
    const again = opened.content?.again;
    const isAsked = again !== undefined && this.#options.unread.arrived(transaction, sender, again);
    // The id of what could not be read was taken with it.
    const isFirst = isAsked && encodeBase64url(again) === id;
    // The same message under another relay id: its sender never learnt that the first attempt had arrived.
    if (!isFirst && id !== relayId && !fresh.take(sender, id)) return [];
    const { events, take, uncounted, publish } = this.#options.groups.pass(transaction, opened);
    for (const chain of uncounted) heard.unreadable(transaction, chain);
    const isTaken = (device: DeviceId, taken: string) => fresh.has(device, taken);
    const isHere = () => link === this.#link;
    return [
      ...events.map((event) => inbox.add(transaction, event)),
      ...take.flatMap((each) => this.#incoming.take(transaction, each, each === opened && isAsked, isTaken, isHere)),
      publish,
    ];
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
