/**
 * What a message that was opened, or could not be, changes here, in the transaction that takes it: events, chains, receipts, what is asked
 * for again (docs/spec/client.md section 6, docs/spec/healing.md).
 */
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { Content } from '@sealwire/wire/envelope';
import type { Deliver } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { VERIFICATION_TYPE } from '@sealwire/wire/verification';
import type { PeerBook } from '../accounts/peer-book.ts';
import { deviceOf, readPeer } from '../accounts/peer-record.ts';
import { admitted } from '../contacts/stranger.ts';
import type { IncomingMessage, UndecryptableEvent } from '../events.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import type { ChainName, IncomingChains } from './chain/incoming-chains.ts';
import type { Refusals } from './healing/refusals.ts';
import type { Repeats } from './healing/repeats.ts';
import type { UnreadMessages } from './healing/unread-messages.ts';
import type { DurableEvent, Inbox } from './inbox.ts';
import type { Opened, Refusal } from './opening.ts';
import type { IncomingReceipts } from './receipts/incoming-receipts.ts';
import { type ShownOptions, shownEvent } from './shown-event.ts';

export interface IncomingMessagesOptions {
  readonly ledger: Ledger;
  readonly inbox: Inbox;
  readonly book: PeerBook;
  readonly heard: IncomingChains;
  readonly incomingReceipts: IncomingReceipts;
  readonly unread: UnreadMessages;
  readonly repeats: Repeats;
  readonly refusals: Refusals;
  /** Something is to be asked of a device of `to`, or to be sent to it again. */
  readonly heal: (to: AccountAddress) => void;
  /** A message has arrived whose sender is owed a receipt. */
  readonly owing: (conversation: AccountAddress) => void;
  /** Two people compare what their devices show: no application is shown such a message. */
  readonly verification: (message: IncomingMessage) => void;
  /** A message of a chain tells whether its device shows that its user types, and that he does not any more. */
  readonly typing: (transaction: Transaction, chain: ChainName, content: Content) => () => void;
  /** A message of no chain: a LIME device of somebody else may say in it that its user types. */
  readonly foreignTyping: (message: IncomingMessage) => void;
  readonly me: DeviceId;
}

export class IncomingMessages {
  readonly #options: IncomingMessagesOptions;

  constructor(options: IncomingMessagesOptions) {
    this.#options = options;
  }

  /** It could not be read, or is not believed. Call the answers once `transaction` is durable. */
  refuse(
    transaction: Transaction,
    { sender, id, acceptedAt }: Deliver,
    { code, suspect, sessionBroken, statusCode }: Refusal,
  ): (() => void)[] {
    const { inbox, book, unread, refusals, heal } = this.#options;
    const failure: UndecryptableEvent = {
      kind: 'undecryptable',
      id: encodeBase64url(id),
      device: sender,
      code,
      acceptedAt,
    };
    const peer = readPeer(transaction, accountOf(sender));
    const device = peer && deviceOf(peer, sender);
    // A LIME client of others would show what it is told as a message.
    const answers = device !== undefined && device.loginKey.length > 0;
    if (device && sessionBroken) {
      const { asked, events } = unread.failed(transaction, { device: sender, id: failure.id, code, answers });
      const told = [...events, { ...failure, ...(asked && { asked }) }];
      return [...told.map((event) => inbox.add(transaction, event)), () => asked && heal(accountOf(sender))];
    }
    const published = [inbox.add(transaction, failure)];
    if (answers && statusCode !== undefined) {
      refusals.add(transaction, sender, { id: failure.id, statusCode });
      published.push(() => heal(accountOf(sender)));
    }
    if (suspect) {
      book.writeTrust(transaction, suspect, 'unsafe');
      published.push(inbox.add(transaction, { kind: 'identity-change', device: suspect }));
    }
    return published;
  }

  /**
   * `isAsked`: it is one that was asked for again. `isTaken`: as in `ShownOptions`. `isHere`: whether the link that brought it is still there.
   * Call the answers once `transaction` is durable.
   */
  take(
    transaction: Transaction,
    { message, chain, content }: Opened,
    isAsked: boolean,
    isTaken: ShownOptions['isTaken'],
    isHere: () => boolean,
  ): (() => void)[] {
    const { inbox, heard, incomingReceipts, owing, unread, heal, me, typing } = this.#options;
    const { device } = message;
    const published: (() => void)[] = [];
    const add = (event: DurableEvent) => published.push(inbox.add(transaction, event));
    if (unread.read(transaction, device)) published.push(() => heal(accountOf(device)));
    const receipts = incomingReceipts.take(transaction, message, content);
    receipts.events.forEach(add);
    published.push(receipts.publish);
    if (receipts.owed)
      published.push(() => {
        if (isHere()) owing(message.conversation);
      });
    if (content) this.#heal(transaction, device, content, published);
    if (content?.link) {
      heard.follow(transaction, chain, { ...content, link: content.link }, isAsked).forEach(add);
      published.push(() => {
        const owed = heard.owe(chain);
        if (isHere()) owing(owed);
      });
      published.push(typing(transaction, chain, content));
    } else published.push(() => this.#options.foreignTyping(message));
    if (message.type === VERIFICATION_TYPE) published.push(() => this.#options.verification(message));
    else if (receipts.shown) add(admitted(transaction, me, shownEvent({ me, isTaken }, transaction, message, content)));
    return published;
  }

  /** What a device says of messages that it, or we, could not read. */
  #heal(transaction: Transaction, device: DeviceId, content: Content, published: (() => void)[]): void {
    const { inbox, heard, unread, repeats, refusals, heal } = this.#options;
    const { gone = [], moot = [], unread: ids = [], refused = [] } = content;
    const { events, waiting, ofUnshown, wasBroken } = repeats.requested(transaction, device, ids);
    const told = [...unread.settled(transaction, device, gone, moot), ...events];
    for (const event of [...told, ...refusals.heard(transaction, device, refused)])
      published.push(inbox.add(transaction, event));
    if (wasBroken) heard.sessionBroken(transaction, device);
    const asks = ofUnshown && unread.askAgain(transaction, device);
    for (const to of [...waiting, ...(asks ? [accountOf(device)] : [])]) published.push(() => heal(to));
  }
}
