/** What can go wrong in LIME, as codes that an application can act upon. Messages name devices and fields, never key material. */
import type { DeviceId } from '@sealwire/wire/ids';

export type LimeErrorCode =
  /** The local device does not exist in this store. */
  | 'unknown-device'
  /** The local device exists, but `activateDevice` has not been called: the key server has not acknowledged it. */
  | 'inactive-device'
  /** `createDevice` for a device that is active already. */
  | 'device-exists'
  /** A peer device shows another identity key than the stored one: refused until the user decides (section 11). */
  | 'identity-changed'
  /** A recipient needs a key bundle and the caller gave none, or the directory has none. */
  | 'no-bundle'
  /** A bundle with a wrong signature, an invalid identity key, or a prekey of low order. */
  | 'bad-bundle'
  /** A bundle that brings back a signed prekey which the peer had already replaced. */
  | 'superseded-signed-prekey'
  /** A recipient is listed twice in one call: the first entry is served. */
  | 'duplicate-recipient'
  /** Bytes that are no message, or fields of a wrong length. */
  | 'malformed'
  /** A message of another suite than the receiving device's. */
  | 'wrong-curve'
  /** No session with the sender, and the message starts none. */
  | 'no-session'
  /** The message names a signed prekey that is not, or no longer, kept. */
  | 'unknown-signed-prekey'
  /** The message names a one-time prekey that is used, expired, or not ours. */
  | 'unknown-one-time-prekey'
  /** A first message that made a session before, which is gone: replayed, or sent on a session that was deleted here. */
  | 'replayed-init'
  /** The peer began so many sessions without one-time prekey that no more can be remembered. */
  | 'too-many-inits'
  /** Decrypted before, or its key is no longer kept. */
  | 'duplicate'
  /** More message keys would have to be skipped than the bound allows. */
  | 'too-far'
  /** Changed bytes, another sender, another addressee, or a session of somebody else. */
  | 'authentication-failed'
  /** A stored record does not decode: damaged, or written by a newer version. */
  | 'corrupt-record';

export class LimeError extends Error {
  override readonly name = 'LimeError';

  /** `devices`: those that the error is about, when the call named several. */
  constructor(
    readonly code: LimeErrorCode,
    message: string,
    readonly devices: readonly DeviceId[] = [],
  ) {
    super(message);
  }
}
