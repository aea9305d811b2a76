/**
 * What follows for the outbox, the chain and the application when the server has a message, or will never have it (docs/spec/client.md
 * section 5, step 5): each in one durable write.
 */
import { decodeContent } from '@sealwire/wire/envelope';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { PeerBook } from '../accounts/peer-book.ts';
import { EngineError } from '../engines/engines.ts';
import type { ClientError } from '../errors.ts';
import type { IncomingChains } from './chain/incoming-chains.ts';
import type { OutgoingChains } from './chain/outgoing-chains.ts';
import type { FrameSender } from './frame-sender.ts';
import type { KeptMessages } from './healing/kept-messages.ts';
import type { DurableEvent, Inbox } from './inbox.ts';
import { noteToSelf } from './note-to-self.ts';
import type { Outbox, OutboxEntry } from './outbox.ts';
import type { OwnDisplays } from './receipts/own-displays.ts';
import { keptOutOf, skippedEvents } from './skipped-devices.ts';
import type { WaitingMessages } from './waiting-messages.ts';

export interface SettlementOptions {
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly book: PeerBook;
  readonly heard: IncomingChains;
  readonly written: OutgoingChains;
  readonly kept: KeptMessages;
  readonly displays: OwnDisplays;
  readonly waiting: WaitingMessages;
  readonly frameSender: FrameSender;
  readonly me: DeviceId;
  readonly now: () => number;
}

export class Settlement {
  readonly #options: SettlementOptions;
  readonly #own: AccountAddress;

  constructor(options: SettlementOptions) {
    this.#options = options;
    this.#own = accountOf(options.me);
  }

  /** The server has it, but not for `newlyLeftOut`. */
  async accept(entry: OutboxEntry, newlyLeftOut: readonly DeviceId[]): Promise<void> {
    const { outbox, inbox, heard, displays, written, kept, waiting, frameSender, me, now } = this.#options;
    const { id, to } = entry;
    const current = outbox.first(to) ?? entry;
    const { skipped = [], relayId = id, taken = [] } = current;
    const isKeptHere = to === this.#own && outbox.framesOf(entry).length === 0 && taken.length === 0;
    const leftOut = [...taken.flatMap((earlier) => earlier.leftOut), ...newlyLeftOut];
    const relayIds = [...taken.map((earlier) => earlier.relayId), relayId];
    const plaintext = outbox.plaintextOf(entry);
    const content = decodeContent(plaintext);
    const published: (() => void)[] = [];
    const keptOut = keptOutOf(skipped).map(({ device }) => device);
    await outbox.accepted(entry, { leftOut, keptOut }, (transaction) => {
      const events: DurableEvent[] = [];
      if (entry.restored && leftOut.length > 0)
        events.push({ kind: 'left-out', id, to, devices: leftOut, queued: false });
      if (content.link) {
        const served = written.devicesOf(to, content.link.number);
        events.push(...skippedEvents(transaction, entry, skipped, served));
        const devices = served.filter((device) => !leftOut.includes(device));
        const { number } = content.link;
        if (devices.length > 0) kept.keep(transaction, { id, relayIds, conversation: to, number, devices, plaintext });
        published.push(written.accepted(transaction, to, content, leftOut));
        published.push(heard.told(transaction, to, content.receipts ?? []));
        displays.told(transaction, to, content.receipts ?? []);
      }
      if (isKeptHere) events.push(noteToSelf(id, me, content, now()));
      for (const event of events) published.push(inbox.add(transaction, event));
    });
    waiting.settled(entry);
    frameSender.settled(current);
    for (const publish of published) publish();
  }

  /** It will never be sent. */
  async giveUp(entry: OutboxEntry, reason: ClientError): Promise<void> {
    const { outbox, inbox, book, written, waiting, frameSender } = this.#options;
    const published: (() => void)[] = [];
    const suspect = reason instanceof EngineError ? reason.suspect : undefined;
    const current = outbox.first(entry.to) ?? entry;
    const content = decodeContent(outbox.plaintextOf(entry));
    await outbox.failed(entry, reason, (transaction) => {
      if (content.link) published.push(written.failed(transaction, entry.to, content));
      if (suspect) {
        book.writeTrust(transaction, suspect, 'unsafe');
        published.push(inbox.add(transaction, { kind: 'identity-change', device: suspect }));
      }
      if (!entry.restored) return;
      const { id, to } = entry;
      published.push(inbox.add(transaction, { kind: 'send-failed', id, to, code: reason.code, text: reason.message }));
    });
    waiting.settled(entry);
    frameSender.settled(current);
    for (const publish of published) publish();
  }
}
