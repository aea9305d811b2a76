/**
 * What a message says of others: receipts of ours and theirs, notices of LIME devices, and what it asks to be told of itself
 * (docs/spec/messages.md section 7, docs/spec/chain.md section 4). Shown is only what this device has asked about.
 */

import { isNotice } from '@sealwire/cpim/chat-message';
import { isComposing } from '@sealwire/cpim/composing';
import { CpimError } from '@sealwire/cpim/errors';
import { type ImdnNotice, readNotice } from '@sealwire/cpim/notice';
import { RECEIPT_TYPE } from '@sealwire/wire/chain';
import type { Content } from '@sealwire/wire/envelope';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { GROUP_TYPE } from '@sealwire/wire/group-news';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { deviceOf, readPeer } from '../../accounts/peer-record.ts';
import type { IncomingMessage, ReceiptEvent } from '../../events.ts';
import type { Records, Transaction } from '../../storage/ledger.ts';
import type { OutgoingChains } from '../chain/outgoing-chains.ts';
import type { DurableEvent } from '../inbox.ts';
import { mayBeTold } from './acquaintance.ts';
import type { OwedNotices } from './owed-notices.ts';
import type { OwnDisplays } from './own-displays.ts';
import { receiptLevel } from './receipt-level.ts';

export interface IncomingReceiptsOptions {
  readonly written: OutgoingChains;
  readonly displays: OwnDisplays;
  readonly notices: OwedNotices;
  readonly own: AccountAddress;
}

/** For the application, in this order; `publish` is to be called once that is durable. */
export interface TakenReceipts {
  readonly events: readonly DurableEvent[];
  /** The sender waits for a notice from now on. */
  readonly owed: boolean;
  /** Whether the message itself is for the application. */
  readonly shown: boolean;
  publish(): void;
}

/** What is for this SDK, and not for applications. */
const UNSHOWN_TYPES = [RECEIPT_TYPE, GROUP_TYPE];

type What = 'arrived' | 'displayed' | 'failed' | 'nothing';
const EVENTS = { arrived: 'delivered', displayed: 'displayed', failed: 'not-delivered' } as const;

export class IncomingReceipts {
  readonly #options: IncomingReceiptsOptions;

  constructor(options: IncomingReceiptsOptions) {
    this.#options = options;
  }

  /** In the transaction that takes `message`. `content`: where it has more than that, from a client that knows us. */
  take(transaction: Transaction, message: IncomingMessage, content: Content | undefined): TakenReceipts {
    if (isNotice(message.type)) return this.#notice(transaction, message);
    const receipts = this.#receipts(transaction, message, content);
    return {
      ...receipts,
      owed: this.#owe(transaction, message),
      shown: !UNSHOWN_TYPES.includes(message.type) && !isComposing(message.type),
    };
  }

  /** Of our own chains and, from another device of ours, of those of others. */
  #receipts(
    transaction: Transaction,
    { device, conversation, sentAt }: IncomingMessage,
    { receipts = [] }: Partial<Content> = {},
  ): Pick<TakenReceipts, 'events' | 'publish'> {
    const { written, displays, own } = this.#options;
    const { events, delivered, displayed, publish } = written.confirmed(transaction, conversation, device, receipts);
    const told = accountOf(device) === own ? displays.heard(transaction, conversation, device, receipts) : [];
    const about = { to: conversation, device, at: sentAt };
    return {
      events: [
        ...events,
        ...this.#shown(transaction, { ...about, kind: 'delivered', ids: delivered }),
        ...this.#shown(transaction, { ...about, kind: 'displayed', ids: displayed }),
        ...told,
      ],
      publish,
    };
  }

  /** No notice is shown as a message, and none is answered. */
  #notice(transaction: Transaction, { device, conversation, body, sentAt, from }: IncomingMessage): TakenReceipts {
    const { written, own } = this.#options;
    const nothing = { events: [], owed: false, shown: false, publish: () => {} };
    const notice = noticeIn(body);
    const what = notice ? whatOf(notice) : 'nothing';
    if (!notice || what === 'nothing' || !isForeign(transaction, device)) return nothing;
    const { messageId: id } = notice;
    if (from === own) {
      const event = { kind: 'displayed-elsewhere', conversation, by: device, id } as const;
      return { ...nothing, events: what === 'displayed' && conversation !== own ? [event] : [] };
    }
    const { isNews, publish } = written.noticed(transaction, conversation, device, id, what);
    const event = { kind: EVENTS[what], to: conversation, device, ids: isNews ? [id] : [], at: sentAt };
    return { ...nothing, events: this.#shown(transaction, event), publish };
  }

  /** A LIME device of somebody else asks for notices; ours are told by receipts. */
  #owe(transaction: Transaction, { device, conversation, from, id, sentAt, requests = [] }: IncomingMessage): boolean {
    const { notices, own } = this.#options;
    if (!requests.includes('positive-delivery') || from === own || !isForeign(transaction, device)) return false;
    // In a group a notice would go to everybody.
    if (isGroupAddress(conversation) || !mayBeTold(transaction, own, from)) return false;
    notices.add(transaction, { to: conversation, device, id, sentAt, status: 'delivered' });
    return true;
  }

  /** Nothing of our own devices, which have copies, and nothing where the user wants none of it. */
  #shown(records: Records, event: ReceiptEvent): ReceiptEvent[] {
    const { own } = this.#options;
    const isAsked = receiptLevel(records, event.to) !== 'off';
    return event.ids.length > 0 && isAsked && accountOf(event.device) !== own ? [event] : [];
  }
}

/** Whether it is a LIME device of somebody else: one that knows no receipts. */
export function isForeign(records: Records, device: DeviceId): boolean {
  const peer = readPeer(records, accountOf(device));
  const listed = peer && deviceOf(peer, device);
  return listed !== undefined && listed.loginKey.length === 0;
}

function noticeIn(body: Uint8Array): ImdnNotice | undefined {
  try {
    return readNotice(body);
  } catch (error) {
    if (error instanceof CpimError) return undefined;
    throw error;
  }
}

/** *Processed* is asked for by nobody here; who keeps a display to itself says nothing. */
function whatOf({ kind, status }: ImdnNotice): What {
  if (kind === 'delivery') return status === 'delivered' ? 'arrived' : 'failed';
  return kind === 'display' && status === 'displayed' ? 'displayed' : 'nothing';
}
