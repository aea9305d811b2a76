/** What the key directory keeps: prekeys of listed devices, and those that wait for their owner. */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { DeviceIdentity } from '@sealwire/wire/manifest';

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
