/** Accounts with their manifests and devices: what changes together, and who may have a name, a device id or a key. */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { DeviceIdentity } from '@sealwire/wire/manifest';

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
