/**
 * LIME 5.3, and the hybrid suites of 5.4: what a client does with its devices' keys and messages (docs/spec/lime.md). Synchronous, without I/O: HTTP with the key
 * server, storage and transport are the caller's. Every call that changes something saves it in one step before it returns.
 */
import { CryptoError, type CryptoProvider, type RandomBytes, type SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import type { LimeContext } from './context.ts';
import {
  activateDevice,
  createDevice,
  type PublishedKeys,
  publishedKeys,
  type Registration,
  registrationOf,
} from './devices/registration.ts';
import { isUpdateDue, type UpdateOutput, updateKeys } from './devices/upkeep.ts';
import { type EncryptInput, type EncryptOutput, encryptToDevices } from './messages/fan-out.ts';
import { type DecryptInput, decryptMessage } from './messages/reception.ts';
import { retired } from './messages/session-turns.ts';
import { Records } from './records/records.ts';
import type { LimeStore } from './records/store.ts';
import { type LimeSettings, limeSettings } from './settings.ts';

export type { PublishedKeys, Registration } from './devices/registration.ts';
export type { UpdateOutput } from './devices/upkeep.ts';
export type { SealedCipherMessage } from './messages/cipher-message.ts';
export type { EncryptedFor, EncryptInput, EncryptOutput } from './messages/fan-out.ts';
export type { DecryptInput } from './messages/reception.ts';
export type { PeerBundle, PrekeyBundle, PublicPrekey, PublicSignedPrekey } from './x3dh/prekey-bundle.ts';

export interface LimeOptions {
  readonly crypto: CryptoProvider;
  readonly store: LimeStore;
  readonly random: RandomBytes;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly settings?: Partial<LimeSettings>;
}

export class Lime {
  readonly #context: LimeContext;

  constructor({ crypto, store, random, now, settings }: LimeOptions) {
    const records = new Records(crypto, store);
    this.#context = { crypto, records, random: fullLength(random), now, settings: limeSettings(settings) };
  }

  /**
   * Makes and stores the keys of a local device; it is inactive until `activateDevice`. Called again while inactive it gives the same keys.
   * Throws LimeError `device-exists`.
   */
  createDevice(device: DeviceId, suite: SuiteName): Registration {
    return createDevice(this.#context, device, suite);
  }

  /** To be called when the key server has acknowledged the registration. Throws LimeError `unknown-device`. */
  activateDevice(device: DeviceId): void {
    activateDevice(this.#context, device);
  }

  /** Identity, current signed prekey and fresh one-time prekeys, for a key server that lost the device. Throws `unknown-device`. */
  registrationOf(device: DeviceId): Registration {
    return registrationOf(this.#context, device);
  }

  /** What the key server should hold of a local device. Throws LimeError `unknown-device`, `inactive-device`. */
  publishedKeys(device: DeviceId): PublishedKeys {
    return publishedKeys(this.#context, device);
  }

  /** Those of `recipients` whose bundle `encrypt` needs, each once. */
  devicesWithoutSession(me: DeviceId, recipients: readonly DeviceId[]): DeviceId[] {
    const { records } = this.#context;
    return [...new Set(recipients)].filter((peer) => !records.findActiveSession(me, peer));
  }

  /**
   * One plaintext to many devices. A recipient that cannot be served gets an `error`; the others are served:
   *
   * - `no-bundle`: no session, and no bundle given or none at the directory;
   * - `bad-bundle`: wrong signature or weak key (liblime refuses the whole call: one bad bundle would silence a group);
   * - `superseded-signed-prekey`: the directory brought back a prekey that the peer had replaced;
   * - `duplicate-recipient`: listed before in the same call.
   *
   * A *changed identity key* in any bundle throws LimeError `identity-changed` with the devices, and nothing
   * is encrypted to anyone: the user has to decide first (`deletePeer` accepts the new key at the next try).
   * Also throws `unknown-device`, `inactive-device`.
   */
  encrypt(me: DeviceId, input: EncryptInput): EncryptOutput {
    return encryptToDevices(this.#context, me, input);
  }

  /**
   * The plaintext of one message of `sender`. Throws LimeError `duplicate`, `too-far`,
   * `authentication-failed`, `no-session`, `malformed`, `wrong-curve`, `unknown-signed-prekey`,
   * `unknown-one-time-prekey`, `replayed-init`, `too-many-inits`, `identity-changed`, `unknown-device`, `inactive-device`;
   * then nothing has changed.
   */
  decrypt(me: DeviceId, input: DecryptInput): Uint8Array {
    return decryptMessage(this.#context, me, input);
  }

  /** True a day after the last update. Throws LimeError `unknown-device`, `inactive-device`. */
  updateDue(me: DeviceId): boolean {
    return isUpdateDue(this.#context, me);
  }

  /**
   * Rotates the signed prekey, refills one-time prekeys, deletes what has expired. `heldByServer`: the answer to getSelfOPks, or
   * `unknown-device` for its error 06. What comes back is to be posted; if that fails the next update mends it.
   */
  update(me: DeviceId, heldByServer: readonly number[] | 'unknown-device'): UpdateOutput {
    return updateKeys(this.#context, me, heldByServer);
  }

  /**
   * The next message of `me` to `peer` begins a new session (lime-protocol section 9). The one there was still reads, and becomes the
   * active one again when something arrives in it. Idempotent.
   */
  retireSession(me: DeviceId, peer: DeviceId): void {
    const { records } = this.#context;
    const active = records.findActiveSession(me, peer);
    if (active) records.save(retired(this.#context, me, peer, active));
  }

  /** Forgets a peer device: its identity key, and the sessions of all local devices with it. */
  deletePeer(device: DeviceId): void {
    const { records } = this.#context;
    const sessions = records.deviceIds().flatMap((me) => records.sessionRemovals(me, device));
    records.save([records.peerRemoval(device), ...sessions]);
  }

  /** Undefined for a device not met yet. */
  peerIdentityKey(device: DeviceId): Uint8Array | undefined {
    return this.#context.records.findPeer(device)?.identityKey;
  }
}

/** A source that reads short would make guessable keys. */
function fullLength(random: RandomBytes): RandomBytes {
  return (length) => {
    const bytes = random(length);
    if (bytes.length !== length) throw new CryptoError('randomness-missing', 'the random source read short');
    return bytes;
  };
}
