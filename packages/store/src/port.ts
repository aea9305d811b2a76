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

import type { AccountAddress, DeviceId, MessageId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import type { AuditTrail, OperatorRecords } from './operator-port.ts';

export type { AuditEntry, AuditTrail, OperatorRecord, OperatorRecordKind, OperatorRecords } from './operator-port.ts';

/** Whether to retry is a property of the kind. An outcome that is not known to have failed is `unavailable`. */
export type StoreErrorKind = 'not-found' | 'conflict' | 'limit' | 'unavailable' | 'corrupt';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  constructor(
    readonly kind: StoreErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
  get retryable(): boolean {
    return this.kind === 'unavailable';
  }
}

/** A `conflict` over a public key that another device or account uses: two owners of one key could be taken for each other. */
export class KeyTakenError extends StoreError {
  constructor() {
    // Not whose: this text reaches whoever brought the key.
    super('conflict', 'a key that another account or device uses');
  }
}

/** `unavailable`, and known to be so for lack of space: nothing of the call has happened that counts. */
export class StoreFullError extends StoreError {
  /** For whoever asks whether the server is ready. */
  readonly reason = 'no space left on the disk of the store';
  constructor(folder: string, options?: ErrorOptions) {
    super('unavailable', `no space left for the data folder ${folder}; free some`, options);
  }
}

export interface Account {
  readonly address: AccountAddress;
  /** Ed25519; signs the manifests. Never changes, but by `Accounts.reset`. */
  readonly accountKey: Uint8Array;
  readonly createdAt: number;
}

/** A device as its account's newest manifest lists it. */
export interface Device {
  readonly id: DeviceId;
  /** One or two LIME identities, in the device's order of preference. */
  readonly identities: readonly DeviceIdentity[];
  /** Ed25519; signs login challenges and nothing else. Empty: the device cannot log in by challenge. */
  readonly loginKey: Uint8Array;
  readonly addedAt: number;
}

/** The bytes that the account key signed, and what the directory read out of them. */
export interface StoredManifest {
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** From when on an account that nobody finished (`Accounts.create`) is in nobody's way. */
export interface UnfinishedTerms {
  readonly now: number;
  /** Since its creation. */
  readonly afterMs: number;
}

export interface Accounts {
  /**
   * Creates the account with manifest version 1 and its devices. Commit point: the account. The same call
   * with the same account key and manifest bytes again changes nothing and answers `exists` (a client
   * repeats after a lost answer).
   * `conflict`: the address is taken by another key, or was deleted once (addresses are never given out again), or a device id is taken,
   * or waits under other identity keys; `KeyTakenError` for a key that somebody else uses (`Waiting` says which keys have one owner).
   * With `invitation`, one use of it is this address's before the account is made, and is given back on
   * `conflict`; `not-found` when it is not (or no longer) good: before any `conflict`, so that only the
   * invited learn which addresses are taken. A repeat, also one after `unavailable`, uses it no further.
   * An account is *unfinished* until keys are registered for a device of it, listed or waiting, or a second manifest is published; what
   * finished it once did so for good. With `unfinished`, one that is as old as that makes room for another one at its address, which is
   * refused for any other reason first: it goes with its devices, of whom nobody can have heard, and their ids stay taken. That and what
   * finishes it exclude each other: the one that comes second is refused, with `not-found` or with `conflict`. The time of one made in the
   * future begins with the first call that meets it.
   */
  create(
    account: Account,
    manifest: StoredManifest,
    devices: readonly Device[],
    invitation?: { hash: Uint8Array; now: number },
    unfinished?: UnfinishedTerms,
  ): Promise<'created' | 'exists'>;
  find(address: AccountAddress): Promise<Account | undefined>;
  /** Addresses above `after` (empty: all), ascending by their bytes, at most `limit`: of accounts that there are. */
  page(after: string, limit: number): Promise<Account[]>;
  /** Whether an account was ever made here. */
  areAny(): Promise<boolean>;
  /**
   * Devices, waiting ones too, manifests, prekeys, mailboxes and app passwords go with it, its attachments expire; the address stays
   * taken. Commit point: the account, of which only its name stays. Idempotent.
   */
  delete(address: AccountAddress, now: number): Promise<void>;
  /**
   * Gives the address another account key, with manifest version 1 and its devices: what was there goes as by `delete`, but for attachments,
   * and the account is a finished one. Commit point: the account. The same call with the same account key and manifest bytes again changes
   * nothing and answers `exists`, also once a later manifest followed.
   * `not-found` without the account, or when `reset.code`, known like an invitation and used up like one, is not (or no longer) good;
   * `conflict` when the account key is not `reset.from` any more, or is `account`'s already, and as `create`.
   */
  reset(
    account: Account,
    manifest: StoredManifest,
    devices: readonly Device[],
    reset: { readonly from: Uint8Array; readonly code: { readonly hash: Uint8Array; readonly now: number } },
  ): Promise<'reset' | 'exists'>;
  /** Makes an invitation, known by the SHA-256 of its code, good for `uses` accounts before `expiresAt`. The same hash again: set anew. */
  addInvitation(hash: Uint8Array, uses: number, expiresAt: number): Promise<void>;
  /** What is left of it; undefined: there is none of that hash. */
  findInvitation(hash: Uint8Array): Promise<{ readonly uses: number; readonly expiresAt: number } | undefined>;
}

export interface Manifests {
  newest(address: AccountAddress): Promise<StoredManifest | undefined>;
  /** Ascending, versions above `after`, at most `limit`. */
  history(address: AccountAddress, after: number, limit: number): Promise<StoredManifest[]>;
  /**
   * Appends `manifest`, whose version must be the newest + 1 (`conflict` else; the very same bytes as the stored manifest of that version
   * are a no-op, also when newer ones followed). `not-found` without the account. `devices` is the complete list it names: new ones become
   * devices, absent ones are removed as by `devices.remove`. Commit point: the newest version of the account,
   * compared and set.
   * `conflict` also for a device id that another account has, that was removed before, or that changes its login key or identities, and
   * as a `KeyTakenError` for a key that somebody else uses.
   * A waiting device that it names becomes a device with an empty mailbox and keeps its prekeys; `conflict` unless the identities named are
   * exactly those that it registered.
   */
  publish(address: AccountAddress, manifest: StoredManifest, devices: readonly Device[], now: number): Promise<void>;
}

export interface Devices {
  /** Undefined when unknown or removed: the question a login, a socket and a key upload ask. */
  find(id: DeviceId): Promise<Device | undefined>;
  /** Of each account its devices, oldest first (by `addedAt`, then by id); none when there is no such account. */
  list(addresses: readonly AccountAddress[]): Promise<Device[][]>;
  /**
   * Takes away the login, the prekeys and the mailbox. Commit point: the account, in which its id stays, so
   * that it is never given out again: from there on the device is cut off. Idempotent.
   */
  remove(id: DeviceId, now: number): Promise<void>;
}

export interface OneTimePrekey {
  readonly id: number;
  readonly publicKey: Uint8Array;
}

export interface SignedPrekey {
  readonly id: number;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

export interface PrekeyBundle {
  readonly identityKey: Uint8Array;
  readonly signedPrekey: SignedPrekey;
  readonly oneTimePrekey?: OneTimePrekey;
}

/** Key material of the LIME directory (lime-protocol section 4), of devices and of waiting ones. Each (device, suite) is an aggregate. */
export interface Prekeys {
  /**
   * Stores identity key, signed prekey and one-time prekeys. The same identity key, signed prekey and signature again: `same`, and
   * nothing changes (the one-time keys of the repeat are ignored). Anything different for a known (device, suite): `conflict`.
   * `not-found` when there is no such device, or it only waits. `KeyTakenError` when another device or account uses the identity key or
   * the signed prekey; one-time keys are not compared (docs/spec/lime-key-server.md section 6).
   */
  register(
    device: DeviceId,
    suite: ServedSuite,
    bundle: Omit<PrekeyBundle, 'oneTimePrekey'>,
    oneTime: readonly OneTimePrekey[],
  ): Promise<'registered' | 'same'>;
  /** `not-found` when the device has not registered; `KeyTakenError` as with `register`. */
  replaceSignedPrekey(device: DeviceId, suite: ServedSuite, signedPrekey: SignedPrekey): Promise<void>;
  /**
   * All or none. `limit` when more than `maximum` would be held; `not-found`. A key id already held with the
   * same bytes is not stored twice (an upload repeated after a lost answer); with other bytes: `conflict`. The
   * same goes for key ids that were handed out within `LIMITS.claimedPrekeyMemoryMs`: a late repeat of their
   * upload does not bring them back.
   */
  addOneTime(
    device: DeviceId,
    suite: ServedSuite,
    keys: readonly OneTimePrekey[],
    terms: { readonly maximum: number; readonly now: number },
  ): Promise<void>;
  /** Ids still held, oldest first. `not-found`. */
  listOneTime(device: DeviceId, suite: ServedSuite): Promise<number[]>;
  /** One bundle a device, in the same order, without one-time keys; undefined where the device has none. */
  find(suite: ServedSuite, devices: readonly DeviceId[]): Promise<(PrekeyBundle | undefined)[]>;
  /**
   * As `find`, and of each the oldest one-time key, which goes for good: no key is ever handed out twice,
   * whatever runs in parallel in whatever process, and it is durably gone before this resolves. A call that
   * fails may have used up some. A device named twice gives two keys.
   */
  claim(suite: ServedSuite, devices: readonly DeviceId[], now: number): Promise<(PrekeyBundle | undefined)[]>;
  /** Idempotent. Which ids were handed out stays known; but a waiting device without keys on any suite is as if it had never been. */
  delete(device: DeviceId, suite: ServedSuite): Promise<void>;
}

/** A LIME device that registered its keys, and that no manifest names: served to LIME clients, without login and mailbox (docs/adr/0008). */
export interface WaitingDevice {
  readonly id: DeviceId;
  /** One a suite that it registered on. */
  readonly identities: readonly DeviceIdentity[];
  /** When it registered first, ms. */
  readonly since: number;
}

export interface WaitingTerms {
  /** Devices and waiting devices of the account together: `limit` when it has that many and this one is new. */
  readonly maximum: number;
  readonly now: number;
  /** Also when there is no such account (a directory in open mode). */
  readonly withoutAccount?: boolean;
}

/**
 * Devices that wait for their owner. A public key has one owner: the account of an account key, the device of a login key, an identity
 * key or a signed prekey, whether it is listed or waits. It is free again when its owner goes or replaces it.
 */
export interface Waiting {
  /**
   * As `Prekeys.register`, for a device that is not listed: it becomes a waiting one. `not-found` without the account; `conflict` also
   * for a device that is listed, or was removed.
   */
  register(
    device: DeviceId,
    suite: ServedSuite,
    bundle: Omit<PrekeyBundle, 'oneTimePrekey'>,
    oneTime: readonly OneTimePrekey[],
    terms: WaitingTerms,
  ): Promise<'registered' | 'same'>;
  find(id: DeviceId): Promise<WaitingDevice | undefined>;
  /** Of the account, oldest first (by `since`, then by id). */
  list(address: AccountAddress): Promise<WaitingDevice[]>;
  /**
   * Takes away its keys. Commit point: the account, as with `Devices.remove`. Nothing happens to a device that
   * does not wait. Idempotent.
   */
  remove(id: DeviceId): Promise<void>;
}

/** What to do with a message for a mailbox that holds its maximum. The operator chooses. */
export type WhenFull = 'refuse' | 'trim';

/** What a mailbox holds at most. */
export interface Room {
  readonly messages: number;
  readonly bytes: number;
}

export interface MailboxLimits extends Room {
  readonly lifeMs: number;
  readonly whenFull: WhenFull;
  /** A message id is remembered this long, unless more than so many were taken since. */
  readonly memory: { readonly ms: number; readonly messages: number };
}

/** One message to any number of mailboxes, each of which keeps the shared pieces and then its own, joined: opaque to the store. */
export interface Mail {
  readonly sender: DeviceId;
  readonly id: MessageId;
  /** Of content and recipients: tells a repeat (same) from a conflict (other). At most 32 bytes. */
  readonly digest: Uint8Array;
  /** When the relay took it, ms. */
  readonly at: number;
  readonly shared: readonly Uint8Array[];
  readonly recipients: readonly Recipient[];
}

export interface Recipient {
  readonly device: DeviceId;
  readonly own: readonly Uint8Array[];
  /** Of this mailbox, in the place of what the limits say: its share of what its account may have waiting. */
  readonly room?: Room | undefined;
}

export type AppendResult =
  /**
   * Durable in every mailbox but those of `refused`, which had no room; `seqs[i]` belongs to `recipients[i]`,
   * 0: refused.
   */
  | { readonly status: 'accepted'; readonly seqs: readonly number[]; readonly refused: readonly DeviceId[] }
  /** The same id with the same digest was accepted before, but for `refused`: nothing was stored now. */
  | { readonly status: 'repeated'; readonly refused: readonly DeviceId[] }
  /** The same id was accepted with another digest: nothing stored. */
  | { readonly status: 'conflict' }
  /** No mailbox had room: nothing stored, and the id is not remembered. */
  | { readonly status: 'full'; readonly devices: readonly DeviceId[] }
  /** These devices do not exist (any more): nothing stored, and the id is not remembered. */
  | { readonly status: 'unknown'; readonly devices: readonly DeviceId[] };

export interface StoredMail {
  readonly seq: number;
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * What a mailbox lost, told to its device until it acknowledges `toSeq`. Losses add up to one record: the counts add, the range spans all
 * of them (messages within it may be there), and where some were damaged that is the reason, else where some were trimmed.
 */
export interface GapRecord {
  /** That are known to be gone. 0: the store was damaged, and it is not known whether anything is missing. */
  readonly count: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** `damaged`: what the store has of them cannot be read. */
  readonly reason: 'expired' | 'trimmed' | 'damaged';
}

export interface MailboxPage {
  readonly mails: readonly StoredMail[];
  /** Undefined: nothing was lost, or the loss is acknowledged. */
  readonly gap?: GapRecord;
  /**
   * Nothing follows the last of `mails`, as of this read. False with no mails: a message with a lower number
   * than others may still appear, and these are held back for it; read again in a moment.
   */
  readonly end: boolean;
  /** All up to this number is settled: what is not in the mailbox by now never will be. 0: nothing was ever in it. */
  readonly settledSeq: number;
}

export interface PageBounds {
  /** Numbers above this. */
  readonly after: number;
  /** At most so many messages … */
  readonly messages: number;
  /** … and bytes, but at least one message if there is one. No more bodies than these are read to make the page, however deep the mailbox. */
  readonly bytes: number;
  /** What was taken before (ms) is expired. */
  readonly horizon: number;
}

export interface Acknowledgement {
  readonly device: DeviceId;
  /** The session that acknowledges; see `claimSession`. */
  readonly session: number;
  /** All up to and including this. */
  readonly upTo: number;
}

export interface Mailboxes {
  /**
   * Appends a batch; one result a mail, in order. Aggregates: the mailboxes, one by one. Accepted is durable in
   * every mailbox that is not `refused`. What is not accepted may be in some of them (a call that failed):
   * the same id again completes it, and no mailbox ever hands out one message of a sender twice. Numbers of
   * a mailbox grow in the order of acceptance; some may be missing; none is given twice. A repeat within the
   * batch is a repeat. Ids are remembered as `limits.memory` says, also after the message was acknowledged.
   *
   * A full mailbox keeps the message from nobody else. It first loses what has outlived `lifeMs` at the time
   * the message was taken, though no `expire` has come. Then, with `refuse`, it refuses. With `trim` it loses
   * the oldest message of the account that fills most of it (of the largest share of either limit; of equal
   * ones, whose oldest message is the oldest), again and again until the new one has room, and a gap record
   * tells so. A message that would not fit an empty mailbox is refused either way.
   */
  append(batch: readonly Mail[], limits: MailboxLimits): Promise<AppendResult[]>;
  /**
   * Ascending. Expired ones are skipped, and added to the `gap` of the page as far as the page has come. A
   * reader is never handed n + 1 while n may still appear. A device that does not exist has an empty page.
   */
  read(device: DeviceId, bounds: PageBounds): Promise<MailboxPage>;
  /**
   * Forgets what is acknowledged; per entry. Numbers that were not given out yet do not matter. An entry of a
   * session older than the newest claimed one is refused (`superseded`) and changes nothing: the loser of a
   * replaced connection cannot acknowledge any more, and neither can a device that does not exist any more.
   */
  acknowledge(batch: readonly Acknowledgement[]): Promise<('done' | 'superseded')[]>;
  /**
   * Makes `session` the newest of the device, if its number is the largest so far (the newest may claim again). Answers the newest
   * session's number after this: another than `session` has superseded it. Undefined when there is no such device. Numbers are compared,
   * never given out by the store.
   */
  claimSession(device: DeviceId, session: number): Promise<number | undefined>;
  /** Messages and bytes held. */
  usage(device: DeviceId): Promise<{ messages: number; bytes: number }>;
  /**
   * Moves what was taken before `horizon` (ms) into gap records: of at most `limit` mailboxes that hold
   * such messages, each at once. How many messages expired; 0: none is left. Whoever calls holds a lease
   * (`Once`), so that one node at a time sweeps.
   */
  expire(horizon: number, limit: number): Promise<number>;
}

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
