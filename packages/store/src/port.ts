/**
 * What Sealwire keeps, as sentences of its own domain. Two embedded adapters stand behind it (LMDB,
 * memory), a distributed one follows.
 *
 * An aggregate is what changes at once: an account (its newest manifest, its devices, the ids of those
 * that are gone, its app passwords), its attachments, a record that it keeps under a name, the keys that a device registered on one suite, the mailbox of a
 * device, an invitation, the owner of a public key, a user of NES. Promises that every adapter keeps, and `contract.ts`
 * checks:
 * - a resolved promise means durable: the write survives kill -9 of this process and a power cut;
 * - a change of one aggregate is atomic, whatever other processes do to the same store at the same time;
 * - a call over several aggregates names its *commit point*. Before it nothing of the call counts, from
 *   there on all of it does. What remains may lag behind; the same call again completes it, and so does
 *   any later call that meets what was left;
 * - `unavailable` means that the outcome is unknown: nothing, a part or all of the call has happened.
 *   Repeat it. An error of any other kind has changed nothing that counts;
 * - security questions (`devices.find`, `accounts.find`) read the newest committed state;
 * - byte arrays passed in are copied before the call returns; byte arrays handed out belong to the caller;
 * - time enters as an argument (milliseconds since 1970): no adapter reads a clock.
 */

import type { AuditTrail, OperatorRecords } from './operator-port.ts';
import type { Accounts, Devices, Manifests } from './port/accounts.ts';
import type { AccountRecords, AppPasswords, Attachments } from './port/belongings.ts';
import type { Prekeys, Waiting } from './port/keys.ts';
import type { Mailboxes } from './port/mailboxes.ts';

export type { AuditEntry, AuditTrail, OperatorRecord, OperatorRecordKind, OperatorRecords } from './operator-port.ts';
export type * from './port/accounts.ts';
export type * from './port/belongings.ts';
export * from './port/errors.ts';
export type * from './port/keys.ts';
export type * from './port/mailboxes.ts';

/** A user of the public-keys provider of NES (docs/spec/nes.md section 5). No mail address, and of its two tokens the hashes. */
export interface NesUser {
  readonly name: string;
  /** PEM. */
  readonly messageKey: string;
  /** PEM. */
  readonly signKey: string;
  readonly activation: Uint8Array;
  readonly deletion: Uint8Array;
  /** ms since 1970: its name is free from then on. Undefined: it was activated, and stays. */
  readonly expiresAt: number | undefined;
}

/** Each user is an aggregate. */
export interface NesUsers {
  /** `taken`: the name is another's, who is active or has not expired by `now`. The same again changes nothing. */
  register(user: NesUser & { readonly expiresAt: number }, now: number): Promise<'registered' | 'taken'>;
  /** Also one that has expired, for a while. */
  find(name: string): Promise<NesUser | undefined>;
  /** Whether it is active now: it was before, or had not expired by `now`. False for another hash than its own. Idempotent. */
  activate(name: string, activation: Uint8Array, now: number): Promise<boolean>;
  /** Whether there was one with this hash. Its name is free. */
  remove(name: string, deletion: Uint8Array): Promise<boolean>;
}

/** Things that may happen once: login challenges answered, leases taken. */
export interface Once {
  /** True for the first caller with this key, false for all later ones until `expiresAt`. */
  take(key: Uint8Array, expiresAt: number, now: number): Promise<boolean>;
}

/**
 * The time by which mail expires, as the relay last noted it (docs/adr/0029-mail-outlives-a-wrong-clock.md):
 * one aggregate of the whole store.
 */
export interface ExpiryTime {
  /** ms since 1970; undefined: never written. */
  read(): Promise<number | undefined>;
  /** Of two the later call stays. Idempotent. */
  write(time: number): Promise<void>;
}

/**
 * What of a store can be damaged: records of what was accepted lately, the head of a mailbox, a
 * message, the memory of message ids, any other record.
 */
export type DamagedPart = 'log' | 'mailbox' | 'message' | 'ids' | 'record';

/** What an operator wants to know of a store. */
export interface StoreReports {
  /** There was none, and it begins with nothing. */
  isNew(): void;
  /** It came across something that cannot be read. Recipients are told of what they may have lost. */
  damaged(part: DamagedPart): void;
  /** A write failed for lack of space on the disk of `folder`; told once until `hasSpace`. Writes are refused, reading goes on. */
  full(folder: string, freeBytes: number): void;
  /** `probe` found space again. */
  hasSpace(): void;
}

/** The operator chooses. `stop`: a store of which accepted messages are lost is refused. */
export type WhenDamaged = 'continue' | 'stop';

export interface OpenTerms {
  /** `continue` by default: what can be read is taken over, and recipients are told of the rest. */
  readonly whenDamaged?: WhenDamaged;
  /** Of a database server; true by default: one that may lose what it acknowledged is refused. */
  readonly production?: boolean;
  readonly reports?: StoreReports;
}

export interface Store {
  readonly accounts: Accounts;
  readonly manifests: Manifests;
  readonly devices: Devices;
  readonly prekeys: Prekeys;
  readonly waiting: Waiting;
  readonly mailboxes: Mailboxes;
  readonly appPasswords: AppPasswords;
  readonly attachments: Attachments;
  readonly accountRecords: AccountRecords;
  readonly nesUsers: NesUsers;
  readonly operatorRecords: OperatorRecords;
  readonly auditTrail: AuditTrail;
  readonly once: Once;
  readonly expiryTime: ExpiryTime;
  /**
   * Writes and reads one record: what readiness asks. Rejects with `unavailable`; after a write that failed for lack of space with
   * `StoreFullError`, until there is some.
   */
  probe(): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}
