/**
 * Empties the outbox (docs/spec/client.md section 5): for each conversation one message at a time, so that its order survives every
 * refusal and every lost link; several conversations side by side.
 *
 * encrypt, one durable write → send → accepted: forgotten │ link lost: the same frame again │ devices differ: newer manifests, a new
 * attempt │ not now: the same frame later │ never: told.
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import type { Accepted, LeftOut, Rejected } from '@sealwire/wire/frames';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { DeviceAuthority } from '../accounts/device-authority.ts';
import type { PeerBook } from '../accounts/peer-book.ts';
import { deviceOf } from '../accounts/peer-record.ts';
import { backOff } from '../connection/back-off.ts';
import type { EngineContext } from '../engines/engine.ts';
import type { Engines } from '../engines/engines.ts';
import { asClientError, ClientError, isStorageBroken } from '../errors.ts';
import type { GroupAudiences } from '../groups/group-audiences.ts';
import { pause, type Timers } from '../runtime.ts';
import type { IncomingChains } from './chain/incoming-chains.ts';
import type { OutgoingChains } from './chain/outgoing-chains.ts';
import type { ReceiptSchedule } from './chain/receipt-schedule.ts';
import { ReceiptSender } from './chain/receipt-sender.ts';
import { type DirectMessage, type DirectOutcome, DirectSender } from './direct-sender.ts';
import { ghostDevice } from './fan-out.ts';
import { FrameSender } from './frame-sender.ts';
import { HealingSender } from './healing/healing-sender.ts';
import type { KeptMessages } from './healing/kept-messages.ts';
import type { Refusals } from './healing/refusals.ts';
import type { Repeats } from './healing/repeats.ts';
import type { UnreadMessages } from './healing/unread-messages.ts';
import { InFlight, NOBODY, type Outcome } from './in-flight.ts';
import type { Inbox } from './inbox.ts';
import { MessageSealer } from './message-sealer.ts';
import type { Outbox, OutboxEntry } from './outbox.ts';
import type { OwedNotices } from './receipts/owed-notices.ts';
import type { OwnDisplays } from './receipts/own-displays.ts';
import { isPassing, reasonOf } from './sending-errors.ts';
import { Settlement } from './settlement.ts';
import { WaitingMessages } from './waiting-messages.ts';

const CONVERSATIONS_AT_ONCE = 8;
/** How often one message may be encrypted because the devices differ. */
const ATTEMPTS = 6;
const HEALING_MS = 2_000;

export interface SenderOptions {
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly book: PeerBook;
  readonly engines: Engines;
  readonly heard: IncomingChains;
  readonly written: OutgoingChains;
  readonly groups: GroupAudiences;
  readonly kept: KeptMessages;
  readonly unread: UnreadMessages;
  readonly repeats: Repeats;
  readonly refusals: Refusals;
  readonly receipts: ReceiptSchedule;
  readonly displays: OwnDisplays;
  readonly notices: OwedNotices;
  readonly context: EngineContext;
  readonly me: DeviceId;
  readonly authority?: DeviceAuthority | undefined;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly timers: Timers;
  readonly transmit: (frame: Uint8Array) => void;
  /** This link is of no use. */
  readonly drop: (reason: string) => void;
  /** The storage is of no use any more. */
  readonly broken: (reason: ClientError) => void;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #own: AccountAddress;
  readonly #busy = new Map<AccountAddress, Promise<void>>();
  readonly #inFlight: InFlight;
  readonly #sealer: MessageSealer;
  readonly #frameSender: FrameSender;
  readonly #direct: DirectSender;
  readonly #receiptSender: ReceiptSender;
  readonly #healing: HealingSender;
  readonly #waiting: WaitingMessages;
  readonly #settlement: Settlement;
  /** Aborted when the link is lost: all pauses end. */
  #period: AbortController | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#own = accountOf(options.me);
    this.#inFlight = new InFlight(options);
    this.#sealer = new MessageSealer(options);
    this.#frameSender = new FrameSender(this.#inFlight);
    this.#waiting = new WaitingMessages(options.inbox, options.context);
    this.#settlement = new Settlement({ ...options, waiting: this.#waiting, frameSender: this.#frameSender });
    const direct = new DirectSender({ ...options, inFlight: this.#inFlight });
    this.#direct = direct;
    this.#receiptSender = new ReceiptSender({ ...options, direct });
    this.#healing = new HealingSender({ ...options, direct, wake: () => this.wake() });
  }

  online(): void {
    this.#period = new AbortController();
    this.#healing.online();
    this.wake();
  }

  offline(): void {
    this.#period?.abort();
    this.#period = undefined;
    this.#healing.offline();
    this.#inFlight.offline();
  }

  /** There is something to be asked of a device of `to`, or to be sent to it again. */
  heal(to: AccountAddress): void {
    if (this.#period) this.#healing.soon(to);
  }

  /** What heals sessions and has not left yet gets a moment: a process that ends soon, each time, would never send it. */
  async finishHealing(): Promise<void> {
    if (!this.#period || !this.#healing.hasten()) return;
    this.wake();
    const moment = pause(this.#options.timers, HEALING_MS, this.#period.signal);
    await Promise.race([this.idle(), moment]);
  }

  /** To devices that are named, beside all that is queued; `later` without a link. Throws as `DirectSender.send`. */
  async sendDirect(message: DirectMessage): Promise<DirectOutcome> {
    const period = this.#period?.signal;
    return period ? this.#direct.send(message, period) : 'later';
  }

  /** Looks for work. */
  wake(): void {
    const period = this.#period?.signal;
    if (!period) return;
    const { outbox, receipts } = this.#options;
    for (const to of new Set([...this.#healing.due(), ...outbox.addressees(), ...receipts.due()])) {
      if (this.#busy.size >= CONVERSATIONS_AT_ONCE) return;
      if (this.#busy.has(to)) continue;
      const emptied = this.#empty(to, period)
        .catch((error) => this.#options.broken(asClientError(error, 'engine-failed')))
        .finally(() => this.#busy.delete(to));
      this.#busy.set(to, emptied);
      void emptied.then(() => this.wake());
    }
  }

  /** Resolves when nothing is under way; to be called when offline. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  accepted(frame: Accepted): void {
    this.#inFlight.accepted(frame);
  }

  leftOut(frame: LeftOut): void {
    this.#inFlight.leftOut(frame);
  }

  rejected(frame: Rejected): void {
    this.#inFlight.rejected(frame);
  }

  /** What a message was refused with last; undefined when it was not, or has been accepted. */
  refusalOf(id: string): ClientError | undefined {
    return this.#waiting.reasonOf(id);
  }

  /** Sends what is queued for one addressee, until there is nothing more or the link is lost. */
  async #empty(to: AccountAddress, period: AbortSignal): Promise<void> {
    let failures = 0;
    let gone: ReadonlySet<DeviceId> = new Set();
    while (!period.aborted) {
      if (this.#healing.take(to)) {
        await this.#healing.send(to, period);
        continue;
      }
      const entry = this.#options.outbox.first(to);
      if (!entry) {
        if (!this.#options.receipts.take(to)) return;
        await this.#sendReceipts(to, period);
        continue;
      }
      try {
        const outcome = await this.#attempt(entry, gone, period);
        if (outcome.kind === 'offline') return;
        if (outcome.kind === 'accepted') {
          await this.#settlement.accept(entry, outcome.leftOut);
          failures = 0;
          gone = new Set();
        } else {
          gone = await this.#afterRefusal(this.#options.outbox.first(to) ?? entry, outcome);
        }
      } catch (error) {
        const reason = reasonOf(error);
        if (period.aborted || reason.code === 'aborted') return;
        if (isStorageBroken(reason)) return this.#options.broken(reason);
        if (!isPassing(reason)) await this.#settlement.giveUp(entry, reason);
        else {
          await this.#waiting.refused(entry, reason, failures);
          await pause(this.#options.timers, backOff(failures++, this.#options.random, reason.retryAfterMs), period);
        }
      }
    }
  }

  async #attempt(entry: OutboxEntry, gone: ReadonlySet<DeviceId>, period: AbortSignal): Promise<Outcome> {
    const { outbox } = this.#options;
    const sealed = outbox.framesOf(entry).length > 0 ? entry : await this.#sealer.seal(entry, gone);
    if (!sealed) return { kind: 'accepted', leftOut: NOBODY };
    return this.#frameSender.send(sealed.relayId!, outbox.framesOf(sealed), period);
  }

  /** What to leave out of the next attempt. Throws the refusal as an error when the same frame may go later, or never. */
  async #afterRefusal(entry: OutboxEntry, refusal: Rejected): Promise<ReadonlySet<DeviceId>> {
    const { outbox, book, groups, me } = this.#options;
    const { code, text, retryable, retryAfterMs } = refusal;
    await this.#waiting.full(entry, refusal.full);
    if (code !== 'device-mismatch' && code !== 'unknown-device')
      throw new ClientError(code, text, { retryable, ...(retryAfterMs > 0 ? { retryAfterMs } : {}) });
    await outbox.unseal(entry, this.#frameSender.taken(entry.relayId!, outbox.framesOf(entry)));
    this.#frameSender.settled(entry);
    const own = await book.refresh(this.#own);
    const devices = [...refusal.missing, ...refusal.extra];
    const peers = isGroupAddress(entry.to) ? await groups.refresh(devices) : [await book.refresh(entry.to)];
    if (entry.attempt >= ATTEMPTS) {
      const ghost = refusal.missing.find((id) => id !== me && ![own, ...peers].some((peer) => deviceOf(peer, id)));
      throw ghost ? ghostDevice(ghost) : new ClientError(code, text, { retryable: false });
    }
    return new Set(refusal.extra);
  }

  /** What fails is owed still: it goes with the next message, or on the next link. */
  async #sendReceipts(to: AccountAddress, period: AbortSignal): Promise<void> {
    try {
      if (await this.#receiptSender.send(to, period)) this.#options.receipts.again(to);
    } catch (error) {
      const reason = reasonOf(error);
      if (isStorageBroken(reason)) this.#options.broken(reason);
    }
  }
}
