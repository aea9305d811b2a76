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
import { judgedPeer, lowestStatus, type PeerStatus } from './devices/trust.ts';
import { isUpdateDue, type UpdateOutput, updateKeys } from './devices/upkeep.ts';
import { LimeError } from './errors.ts';
import { type EncryptInput, type EncryptOutput, encryptToDevices } from './messages/fan-out.ts';
import { type DecryptInput, type DecryptOutput, decryptMessage } from './messages/reception.ts';
import { Records } from './records/records.ts';
import type { LimeStore } from './records/store.ts';
import { retired } from './sessions/session-turns.ts';
import { type LimeSettings, limeSettings } from './settings.ts';

export type { PublishedKeys, Registration } from './devices/registration.ts';
export type { PeerStatus } from './devices/trust.ts';
export type { UpdateOutput } from './devices/upkeep.ts';
export type { SealedCipherMessage } from './messages/cipher-message.ts';
export type { EncryptedFor, EncryptInput, EncryptOutput } from './messages/fan-out.ts';
export type { DecryptInput, DecryptOutput } from './messages/reception.ts';
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

  /** Forgets a local device, its prekeys and its sessions. A device that does not exist is no error. */
  deleteDevice(device: DeviceId): void {
    const { records } = this.#context;
    records.save(records.deviceRemoval(device));
  }

  /** The local devices, inactive ones too. */
  devices(): DeviceId[] {
    return this.#context.records.deviceIds();
  }

  /** The EdDSA public key of a local device. Throws LimeError `unknown-device`. */
  identityKey(device: DeviceId): Uint8Array {
    return this.#context.records.device(device).identity.publicKey;
  }

  /** Throws LimeError `unknown-device`. */
  suite(device: DeviceId): SuiteName {
    return this.#context.records.device(device).suite;
  }

  /** Those of `recipients` whose bundle `encrypt` needs, each once. */
  devicesWithoutSession(me: DeviceId, recipients: readonly DeviceId[]): DeviceId[] {
    const { records } = this.#context;
    return [...new Set(recipients)].filter((peer) => !records.findActiveSession(me, peer));
  }

  /**
   * One plaintext to many devices. A recipient that cannot be served gets `fail` and an `error`; the others are served:
   *
   * - `no-bundle`: no session, and no bundle given or none at the directory;
   * - `bad-bundle`: wrong signature or weak key (liblime refuses the whole call: one bad bundle would silence a group);
   * - `superseded-signed-prekey`: the directory brought back a prekey that the peer had replaced;
   * - `duplicate-recipient`: listed before in the same call.
   *
   * A *changed identity key* in any bundle throws LimeError `identity-changed` with the devices, and nothing is encrypted to anyone: the
   * user has to decide first (`deletePeer` accepts the new key at the next try). Also throws `unknown-device`, `inactive-device`.
   */
  encrypt(me: DeviceId, input: EncryptInput): EncryptOutput {
    return encryptToDevices(this.#context, me, input);
  }

  /**
   * One message of `sender`, and its cipherMessage (empty in the direct form). Throws LimeError `duplicate`, `too-far`,
   * `authentication-failed`, `no-session`, `malformed`, `wrong-curve`, `unknown-signed-prekey`, `unknown-one-time-prekey`, `replayed-init`,
   * `identity-changed`, `unknown-device`, `inactive-device`; then nothing has changed.
   */
  decrypt(me: DeviceId, input: DecryptInput): DecryptOutput {
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

  /** The lowest of unsafe < unknown < untrusted < trusted among `devices`; local ones are trusted, none is unknown. */
  peerStatus(devices: DeviceId | readonly DeviceId[]): PeerStatus {
    const { records } = this.#context;
    const list = typeof devices === 'string' ? [devices] : devices;
    return lowestStatus(
      list.map((device) => (records.findDevice(device) ? 'trusted' : (records.findPeer(device)?.status ?? 'unknown'))),
    );
  }

  /**
   * The user's word (lime-protocol section 11). `trusted` needs the identity key that was verified, and throws LimeError `identity-changed`
   * when another is stored, `malformed` when it is no identity key of either curve; without it the call is ignored. `untrusted` does not
   * lift `unsafe`. `unknown` and `fail` are ignored.
   */
  setPeerStatus(device: DeviceId, status: PeerStatus, identityKey?: Uint8Array): void {
    const { crypto, records } = this.#context;
    if (identityKey && !Object.values(crypto.suites).some((suite) => suite.signatures.isValidPublicKey(identityKey))) {
      throw new LimeError('malformed', 'not an identity key of either curve', [device]);
    }
    const judged = judgedPeer(crypto, records.findPeer(device), status, identityKey);
    if (judged) records.save([records.peerChange(device, judged)]);
  }

  /** Forgets a peer device: identity key, status, and the sessions of all local devices with it. */
  deletePeer(device: DeviceId): void {
    const { records } = this.#context;
    const sessions = records.deviceIds().flatMap((me) => records.sessionRemovals(me, device));
    records.save([records.peerRemoval(device), ...sessions]);
  }

  /** The next message to `peer` begins a new session; what still arrives on the old one makes that active again. */
  staleSessions(me: DeviceId, peer: DeviceId): void {
    const active = this.#context.records.findActiveSession(me, peer);
    if (active) this.#context.records.save(retired(this.#context, me, peer, active));
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
