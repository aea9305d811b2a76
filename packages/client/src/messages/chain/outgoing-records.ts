/**
 * Records of the chains that this device writes (docs/spec/chain.md sections 2 and 4). Table `chain`, key `chain/CONVERSATION`; table
 * `sent`, key `sent/CONVERSATION NUMBER`: a message that somebody has not confirmed yet.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';

export interface StoredChain {
  /** Of the next message; never given twice. */
  readonly next: number;
  /** The newest message that the server has taken: number and digest, base64url. */
  readonly accepted?: readonly [number: number, digest: string];
  /** Devices for which a message of the chain was accepted. */
  readonly introduced: readonly DeviceId[];
  /** Number of the newest receipt of a message that is not ours; told once. */
  readonly foreign?: number;
}

interface StoredMessage {
  readonly id: string;
  readonly digest: string;
  /** That have not confirmed it. */
  readonly devices: readonly DeviceId[];
  /** Of these: whose receipts say that it is missing. */
  readonly missed: readonly DeviceId[];
}

export interface SentMessage extends StoredMessage {
  readonly number: number;
}

const NEW: StoredChain = { next: 1, introduced: [] };

/** Whether this device has written in the conversation, ever. */
export function hasWritten(records: Records, conversation: AccountAddress): boolean {
  return readChain(records, conversation).next > 1;
}

const chainKey = (conversation: AccountAddress) => `chain/${conversation}`;
export const sentKey = (conversation: AccountAddress, number: number) => `sent/${conversation} ${number}`;

export function readChain(records: Records, conversation: AccountAddress): StoredChain {
  const stored = records.get(chainKey(conversation));
  return stored ? decodeRecord<StoredChain>(stored).header : NEW;
}

export function writeChain(transaction: Transaction, conversation: AccountAddress, chain: StoredChain): void {
  transaction.set(chainKey(conversation), encodeRecord(chain));
}

export function readSent(records: Records, conversation: AccountAddress, number: number): SentMessage | undefined {
  const stored = records.get(sentKey(conversation, number));
  return stored && { ...decodeRecord<StoredMessage>(stored).header, number };
}

export function writeSent(transaction: Transaction, conversation: AccountAddress, message: SentMessage): void {
  const { number, ...stored } = message;
  transaction.set(sentKey(conversation, number), encodeRecord(stored));
}
