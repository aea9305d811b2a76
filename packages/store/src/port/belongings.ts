/** What an account has beside its devices, and what goes with it: app passwords, files that it uploaded, records that it keeps. */
import type { AccountAddress } from '@sealwire/wire/ids';

/** A password of the account for programs that know no tokens (HTTP Digest on `/lime`). */
export interface AppPassword {
  /** Names it to its owner; unique within the account. */
  readonly id: string;
  /** The owner's own word for it; unique within the account. */
  readonly name: string;
  readonly createdAt: number;
  /** ms since 1970 of the last use told by `markUsed`; undefined: never used. */
  readonly usedAt: number | undefined;
  /** What proves the password: opaque to the store, which never sees the password. */
  readonly verifier: Uint8Array;
}

export interface AppPasswords {
  /** `not-found` without the account; `conflict` when it has one of that id or that name; `limit` when it holds `maximum`. */
  add(address: AccountAddress, password: Omit<AppPassword, 'usedAt'>, maximum: number): Promise<void>;
  /** Oldest first (by `createdAt`, then by id); empty when there is no such account, or it has been deleted. */
  list(address: AccountAddress): Promise<AppPassword[]>;
  /** Whether there was such a password. */
  remove(address: AccountAddress, id: string): Promise<boolean>;
  /** Of two the later call stays, whatever the times. Nothing happens to one that is gone. */
  markUsed(address: AccountAddress, id: string, at: number): Promise<void>;
}

/** What the server knows of a file that a device uploads: whose, how large, until when. Neither name, nor type, nor key. */
export interface Attachment {
  /** Unique; also the file's name where it lies. */
  readonly id: string;
  /** Declared, and counted from its begin. */
  readonly bytes: number;
  /** Of the upload, by which the place of the files knows it. */
  readonly handle: string;
  readonly isComplete: boolean;
  /** ms since 1970. From then on it is to be swept, and counts until it was. */
  readonly expiresAt: number;
}

/** What an account may hold. */
export interface AttachmentRoom {
  readonly attachments: number;
  readonly bytes: number;
}

/** Attachments of an account are one aggregate of their own. */
export interface Attachments {
  /**
   * One that is not complete. `not-found` without the account; `limit` when it would hold more than `room`; `conflict` for an id that it
   * has with other fields. The same again changes nothing.
   */
  add(address: AccountAddress, attachment: Omit<Attachment, 'isComplete'>, room: AttachmentRoom): Promise<void>;
  find(address: AccountAddress, id: string): Promise<Attachment | undefined>;
  /** Complete, and to be kept until `expiresAt`, unless it was complete before; what it is then. Undefined: there is none. */
  complete(address: AccountAddress, id: string, expiresAt: number): Promise<Attachment | undefined>;
  /** Whether there was one. It counts no more. */
  remove(address: AccountAddress, id: string): Promise<boolean>;
  /** What counts. */
  usage(address: AccountAddress): Promise<AttachmentRoom>;
  /**
   * Some that have expired, `limit` at most, while there are any. Those of an account that was deleted have, soon after at the latest;
   * they are found by nothing else.
   */
  expired(now: number, limit: number): Promise<{ readonly address: AccountAddress; readonly attachment: Attachment }[]>;
}

/** What an account may keep: opaque to the store. */
export type AccountRecordName = 'contact-list' | 'contact-rules';

export interface AccountRecord {
  /** Grows with each change. */
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** Each record of an account is an aggregate. They go with their account. */
export interface AccountRecords {
  /** Of each account its record of that name, in the same order; undefined where there is none. */
  read(addresses: readonly AccountAddress[], name: AccountRecordName): Promise<(AccountRecord | undefined)[]>;
  /**
   * Puts `record` in the place of the one whose version is `after`, 0: of none. `conflict` when it is another one's, or the new version
   * is not above it; the very same record as is there changes nothing. `not-found` without the account.
   */
  replace(address: AccountAddress, name: AccountRecordName, after: number, record: AccountRecord): Promise<void>;
}
