/** What the memory store holds. Every operation on it is one synchronous step, which makes each call atomic. */

import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type {
  Account,
  AccountRecord,
  AppPassword,
  Attachment,
  AuditEntry,
  Device,
  GapRecord,
  NesUser,
  OneTimePrekey,
  OperatorRecord,
  PrekeyBundle,
  StoredManifest,
} from '../port.ts';

export interface AccountRow {
  readonly account: Account;
  /** Version n at index n - 1. */
  readonly manifests: StoredManifest[];
  readonly devices: Set<DeviceId>;
  /** By id. */
  readonly appPasswords: Map<string, AppPassword>;
  /** Since when nobody has finished it; undefined: somebody has. */
  unfinishedSince: number | undefined;
}

export interface ClaimedKey {
  readonly publicKey: Uint8Array;
  readonly at: number;
}

export interface PrekeyRow {
  readonly identityKey: Uint8Array;
  signedPrekey: PrekeyBundle['signedPrekey'];
  /** By id, oldest first. */
  readonly oneTime: Map<number, OneTimePrekey>;
  /** Handed out, oldest first: such a key does not come back by a late repeat of its upload. */
  readonly claimed: Map<number, ClaimedKey>;
}

export interface MailRow {
  readonly sender: DeviceId;
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface MailboxRow {
  /** By sequence number, ascending. */
  readonly mails: Map<number, MailRow>;
  bytes: number;
  lastSeq: number;
  session: number;
  gap: GapRecord | undefined;
}

/** What a device registered, whether it is listed or waits. */
export interface KeyRow {
  readonly prekeys: Map<ServedSuite, PrekeyRow>;
  /** What `Prekeys.delete` leaves behind of each suite. */
  readonly claimed: Map<ServedSuite, Map<number, ClaimedKey>>;
}

export interface DeviceRow extends KeyRow {
  readonly device: Device;
  readonly mailbox: MailboxRow;
}

export interface WaitingRow extends KeyRow {
  readonly since: number;
}

/** A message that was accepted. */
export interface AcceptedRow {
  readonly digest: Uint8Array;
  readonly at: number;
  readonly refused: readonly DeviceId[];
}

export interface MemoryState {
  readonly accounts: Map<AccountAddress, AccountRow>;
  readonly devices: Map<DeviceId, DeviceRow>;
  readonly waiting: Map<DeviceId, WaitingRow>;
  /** Of each public key in use, by `textOf`. */
  readonly keyOwners: Map<string, AccountAddress | DeviceId>;
  /** Every address and device id ever given out: none is given out again. */
  readonly used: Set<AccountAddress | DeviceId>;
  /** Of those, too, whose account is gone. By address, then by id. */
  readonly attachments: Map<AccountAddress, Map<string, Attachment>>;
  readonly invitations: Map<string, { uses: number; readonly expiresAt: number }>;
  /** By address and name. */
  readonly accountRecords: Map<string, AccountRecord>;
  /** By name. */
  readonly nesUsers: Map<string, NesUser>;
  /** By kind, space, key. */
  readonly operatorRecords: Map<string, OperatorRecord>;
  /** By `auditKey`. */
  readonly audit: Map<string, AuditEntry>;
  /** By sender and message id, oldest first. */
  readonly accepted: Map<string, AcceptedRow>;
  /** Until when. */
  readonly taken: Map<string, number>;
  expiryTime: number | undefined;
}

export function emptyState(): MemoryState {
  return {
    accounts: new Map(),
    devices: new Map(),
    waiting: new Map(),
    keyOwners: new Map(),
    used: new Set(),
    attachments: new Map(),
    invitations: new Map(),
    accountRecords: new Map(),
    nesUsers: new Map(),
    operatorRecords: new Map(),
    audit: new Map(),
    accepted: new Map(),
    taken: new Map(),
    expiryTime: undefined,
  };
}

export function emptyMailbox(): MailboxRow {
  return { mails: new Map(), bytes: 0, lastSeq: 0, session: 0, gap: undefined };
}

/** Bytes as the key of a map. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
