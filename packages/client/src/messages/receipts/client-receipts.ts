/** What an application says of receipts: whether there are any, and what it has shown (docs/spec/messages.md section 7). */
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../../errors.ts';
import type { IncomingMessage } from '../../events.ts';
import type { Ledger, Transaction } from '../../storage/ledger.ts';
import type { IncomingChains } from '../chain/incoming-chains.ts';
import { mayBeTold } from './acquaintance.ts';
import { isForeign } from './incoming-receipts.ts';
import type { OwedNotices } from './owed-notices.ts';
import type { OwnDisplays } from './own-displays.ts';
import {
  conversationsWithLevel,
  RECEIPT_LEVELS,
  type ReceiptLevel,
  receiptLevel,
  setReceiptLevel,
} from './receipt-level.ts';

export type { ReceiptLevel } from './receipt-level.ts';

/** Of an `IncomingMessage`, all that `displayed` needs: an application that keeps messages keeps these. */
export type DisplayedMessage = Pick<
  IncomingMessage,
  'id' | 'device' | 'conversation' | 'sentAt' | 'number' | 'requests'
>;

export interface ClientReceiptsOptions {
  readonly ledger: Ledger;
  readonly heard: IncomingChains;
  readonly displays: OwnDisplays;
  readonly notices: OwedNotices;
  readonly me: DeviceId;
  readonly addressOf: (name: string) => AccountAddress;
  /** Somebody in the conversation is to be told something. */
  readonly owing: (conversation: AccountAddress) => void;
  /** The user was shown a message, in this transaction; the answer is called once that is durable. */
  readonly shown?: (transaction: Transaction, message: DisplayedMessage) => () => void;
}

export class ClientReceipts {
  readonly #options: ClientReceiptsOptions;

  constructor(options: ClientReceiptsOptions) {
    this.#options = options;
  }

  /** Of the conversation with `to`, a name or an address; without it, of all that have no level of their own. Throws `bad-address`. */
  level(to?: string): ReceiptLevel {
    const { ledger, addressOf } = this.#options;
    return receiptLevel(ledger, to === undefined ? undefined : addressOf(to));
  }

  /** Conversations that have a level of their own. */
  conversations(): AccountAddress[] {
    return conversationsWithLevel(this.#options.ledger);
  }

  /**
   * Durable, for this device: `off`, `delivered` (the default) or `on`. What was displayed before `on` was said is not told later. Throws
   * `bad-address`, `bad-request`.
   */
  async setLevel(level: ReceiptLevel, to?: string): Promise<void> {
    const { ledger, addressOf } = this.#options;
    if (!RECEIPT_LEVELS.includes(level))
      throw new ClientError('bad-request', `receipts are ${RECEIPT_LEVELS.join(', ')}, not ${level}`);
    const conversation = to === undefined ? undefined : addressOf(to);
    await ledger.commit((transaction) => setReceiptLevel(transaction, conversation, level));
  }

  /**
   * The user has been shown `message`, and with it all that its device wrote before it: resolves when that is durable. Its sender is told
   * if it has asked, is no stranger, and the conversation's level is `on`; our other devices are told in any case. A few seconds later, or
   * on the next link. What is not known here, or was said before, changes nothing.
   */
  async displayed(message: DisplayedMessage): Promise<void> {
    const { device, conversation, id, sentAt, number, requests = [] } = message;
    const { ledger, heard, displays, notices, me, owing, shown } = this.#options;
    const own = accountOf(me);
    if (accountOf(device) === own) return;
    const inGroup = isGroupAddress(conversation);
    const name = { sender: device, recipientUser: inGroup ? conversation : own };
    const published = await ledger.commit((transaction) => {
      const isTold = requests.includes('display') && receiptLevel(transaction, conversation) === 'on';
      if (number !== undefined) {
        if (!inGroup) displays.displayed(transaction, device, number);
        if (isTold) heard.displayed(transaction, name, number);
      } else if (isTold && !inGroup && isForeign(transaction, device) && mayBeTold(transaction, own, conversation)) {
        notices.add(transaction, { to: conversation, device, id, sentAt, status: 'displayed' });
      }
      return shown?.(transaction, message);
    });
    published?.();
    if (number !== undefined) heard.owe(name);
    if (!inGroup) owing(conversation);
  }
}
