/**
 * How much others are told of what becomes of their messages, and what is asked of them (docs/spec/messages.md section 7). Table
 * `receipts`, key `receipts/CONVERSATION`; `receipts/*` for all conversations without a level of their own.
 */
import { DISPOSITIONS, type Disposition } from '@sealwire/cpim/imdn';
import { NOTICE_BITS } from '@sealwire/wire/envelope';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';

/**
 * `off`: nothing is told in messages of its own, asked for or shown. `delivered`: that messages have arrived. `on`: also that they have
 * been displayed.
 */
export const RECEIPT_LEVELS = ['off', 'delivered', 'on'] as const;
export type ReceiptLevel = (typeof RECEIPT_LEVELS)[number];

const TABLE = 'receipts/';
const GENERAL = '*';
const DEFAULT: ReceiptLevel = 'delivered';
/** What Linphone asks for, and without a word of displays. */
const ASKED: Readonly<Record<ReceiptLevel, readonly Disposition[]>> = {
  off: [],
  delivered: ['positive-delivery', 'negative-delivery'],
  on: ['positive-delivery', 'negative-delivery', 'display'],
};

/** Undefined: the level of all conversations that have none of their own. */
export function receiptLevel(records: Records, conversation?: AccountAddress): ReceiptLevel {
  const own = conversation && records.get(TABLE + conversation);
  const stored = own ?? records.get(TABLE + GENERAL);
  return stored ? decodeRecord<{ level: ReceiptLevel }>(stored).header.level : DEFAULT;
}

export function setReceiptLevel(
  transaction: Transaction,
  conversation: AccountAddress | undefined,
  level: ReceiptLevel,
): void {
  transaction.set(TABLE + (conversation ?? GENERAL), encodeRecord({ level }));
}

/** Those that have a level of their own. */
export function conversationsWithLevel(records: Records): AccountAddress[] {
  const names = records.keys(TABLE).map((key) => key.slice(TABLE.length));
  return names.filter((name) => name !== GENERAL) as AccountAddress[];
}

/** `Content.requests` of what is sent in a conversation of this level; undefined: nothing is asked for. */
export function requestsAt(level: ReceiptLevel): number | undefined {
  return requestBits(ASKED[level]);
}

/** Undefined for none. */
export function requestBits(dispositions: readonly Disposition[]): number | undefined {
  return dispositions.reduce((sum, disposition) => sum + NOTICE_BITS[disposition], 0) || undefined;
}

/** Those that are known here. */
export function dispositionsIn(requests = 0): Disposition[] {
  return DISPOSITIONS.filter((disposition) => (requests & NOTICE_BITS[disposition]) !== 0);
}
