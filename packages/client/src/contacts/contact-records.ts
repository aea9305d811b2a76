/**
 * The contact list as this device has it (docs/spec/contacts.md section 3). Table `contacts`, one record an account, marked while the server
 * has not got this word; record `contact-state/list`: the newest version seen; table `requests`: strangers who have written.
 */
import type { ContactEntry, ContactPolicy } from '@sealwire/wire/contacts';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const TABLE = 'contacts/';
const STATE = 'contact-state/list';
const REQUESTS = 'requests/';
const MOST_REQUESTS = 100;

export interface StoredContact extends ContactEntry {
  /** Not at the server yet. */
  readonly isNew?: true;
}

export interface ContactState {
  /** The newest that this device has seen or written. 0: none. */
  readonly version: number;
  /** Of that version, as the server had it: hex of its SHA-256. */
  readonly sealedHash: string;
  readonly policy: ContactPolicy;
  readonly policyAt: number;
  readonly isPolicyNew?: true;
  /** Of the list from which this device last told the server who may write. */
  readonly rulesVersion: number;
  /** Told of already: the server shows this instead of `version`. */
  readonly alarm?: string;
}

/** A stranger who wrote, and has not been answered. */
export interface ContactRequest {
  readonly from: AccountAddress;
  readonly device: DeviceId;
  /** Of the message. */
  readonly id: string;
  readonly type: string;
  /** Of a text. */
  readonly text?: string;
  /** ms, the relay's clock. */
  readonly at: number;
}

export function readContact(records: Records, address: AccountAddress): StoredContact | undefined {
  const stored = records.get(TABLE + address);
  return stored && decodeRecord<StoredContact>(stored).header;
}

export function allContacts(records: Records): StoredContact[] {
  return records.keys(TABLE).map((key) => decodeRecord<StoredContact>(records.get(key)!).header);
}

/** Removed ones too. */
export function countContacts(records: Records): number {
  return records.keys(TABLE).length;
}

export function writeContact(transaction: Transaction, contact: StoredContact): void {
  transaction.set(TABLE + contact.address, encodeRecord(contact));
  // Whoever may write is no stranger any more.
  if (contact.state !== 'removed') transaction.delete(REQUESTS + contact.address);
}

export function deleteContact(transaction: Transaction, address: AccountAddress): void {
  transaction.delete(TABLE + address);
}

export function readState(records: Records): ContactState {
  const stored = records.get(STATE);
  if (stored) return decodeRecord<ContactState>(stored).header;
  return { version: 0, sealedHash: '', policy: 'everyone', policyAt: 0, rulesVersion: 0 };
}

export function writeState(transaction: Transaction, state: ContactState): void {
  transaction.set(STATE, encodeRecord(state));
}

/** Whether messages of `account` are none of a stranger, as far as this device knows. */
export function isKnown(records: Records, account: AccountAddress): boolean {
  const { policy } = readState(records);
  return policy === 'everyone' || ['contact', 'known'].includes(readContact(records, account)?.state ?? '');
}

/** The oldest first. */
export function allRequests(records: Records): ContactRequest[] {
  const requests = records.keys(REQUESTS).map((key) => decodeRecord<ContactRequest>(records.get(key)!).header);
  return requests.sort((a, b) => a.at - b.at);
}

/** In the place of an earlier one of the same account; of a hundred the oldest one goes. */
export function writeRequest(transaction: Transaction, request: ContactRequest): void {
  transaction.set(REQUESTS + request.from, encodeRecord(request));
  for (const { from } of allRequests(transaction).slice(0, -MOST_REQUESTS)) transaction.delete(REQUESTS + from);
}

/** Whether there was one. */
export function deleteRequest(transaction: Transaction, from: AccountAddress): boolean {
  const isThere = transaction.get(REQUESTS + from) !== undefined;
  transaction.delete(REQUESTS + from);
  return isThere;
}
