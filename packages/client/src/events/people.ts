/** Accounts and their devices, and what their keys and lists turn out to be (docs/spec/client.md section 4, docs/spec/contacts.md). */
import type { ContactPolicy } from '@sealwire/wire/contacts';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import type { ContactRequest } from '../contacts/contact-records.ts';
import type { KeysFinding } from '../engines/engine.ts';

/** `untrusted`: known, not verified. `trusted`: the user compared keys. `unsafe`: its key changed, or the user says so. */
export type Trust = 'untrusted' | 'trusted' | 'unsafe';

/** Named by our account's manifest. */
export interface DeviceInfo {
  readonly id: DeviceId;
  readonly suites: readonly ServedSuite[];
  readonly addedAt: number;
  /** This device. */
  readonly current: boolean;
}

export interface PeerDevice {
  readonly id: DeviceId;
  readonly identities: readonly DeviceIdentity[];
  readonly trust: Trust;
  /**
   * A LIME client such as Linphone (docs/adr/0008): its keys reached its owner through the server, and are as good as the owner's look at
   * them when it was admitted.
   */
  readonly lime?: true;
}

export interface PeerInfo {
  readonly address: AccountAddress;
  /** Ed25519, pinned at first contact. */
  readonly accountKey: Uint8Array;
  readonly manifestVersion: number;
  readonly devices: readonly PeerDevice[];
  /** The user has compared the account key (`ClientVerification`): devices that it signs are trusted, later ones too. */
  readonly verified: boolean;
  /** Of the conversation: the lowest of its devices; `unsafe` too while the directory shows another account key. */
  readonly trust: Trust;
  /** Another account key that the server has shown since (`account-reset`), to be compared before it is accepted. */
  readonly shownKey?: Uint8Array;
  /** Whether the device authority that the application named has admitted the account with this key; absent: it has none to say so. */
  readonly certified?: boolean;
}

/**
 * Somebody showed another identity key for a device than its account's manifest names. The device is `unsafe` now, and nothing is sent
 * to its account until the user decides (`ClientTrust.set`, `acceptIdentityChange`).
 */
export interface IdentityChangeEvent {
  readonly kind: 'identity-change';
  readonly device: DeviceId;
}

/**
 * The server shows another account key under a name that this device knows: its operator has reset the account, as for somebody who has
 * lost everything, or somebody poses as its owner. All its devices are `unsafe` now, and nothing is sent until the user has asked its owner
 * in another way, and says so (`ClientTrust.acceptReset`). With our own address: this device is no part of the account any more.
 */
export interface AccountResetEvent {
  readonly kind: 'account-reset';
  readonly address: AccountAddress;
  /** One sentence. */
  readonly text: string;
}

/**
 * The key directory signs its answers with another key than the pinned one: nothing that it says is believed until the user has found out
 * why (`ClientTrust.acceptDirectoryKey`).
 */
export interface DirectoryKeyChangeEvent {
  readonly kind: 'directory-key-change';
}

/** Devices came to our own account, or left it: somebody whom the user did not let in can be removed again (`ClientDevices.remove`). */
export interface DevicesChangedEvent {
  readonly kind: 'devices-changed';
  readonly added: readonly DeviceId[];
  readonly removed: readonly DeviceId[];
}

/**
 * The key directory did not hold what this device had published; but for an identity key it does again. Another identity key than ours
 * under our name is an alarm: the server is broken, or lies, and whoever trusts it writes to somebody else.
 */
export interface DirectoryKeysEvent extends KeysFinding {
  readonly kind: 'directory-keys';
}

/**
 * Another device of this account has verified somebody, taken it back, or found other characters; trust has changed here, too
 * (`ClientVerification`).
 */
export interface VerificationChangedEvent {
  readonly kind: 'verification-changed';
  readonly address: AccountAddress;
  /** `different`: its devices are unsafe now, and nothing is sent. */
  readonly state: 'verified' | 'withdrawn' | 'different';
}

/** Another device of this account has set how long what is written to an account may be shown (`ClientTimers.set`). */
export interface TimerChangedEvent {
  readonly kind: 'timer-changed';
  readonly conversation: AccountAddress;
  /** Seconds; 0: no end. */
  readonly lifetime: number;
}

/** The contact list is another one now, by another device of this account. */
export interface ContactsChangedEvent {
  readonly kind: 'contacts-changed';
  readonly changed: readonly AccountAddress[];
  /** Who may write from now on, where that is new. */
  readonly policy?: ContactPolicy;
}

/**
 * The server shows a contact list of ours that it should not: an older one than this device knows (it was restored from a backup, or lies),
 * another one of the same version, or one that no device of the account has written. Of the first two nothing is lost: it gets back what
 * this device knows. Told once.
 */
export interface ContactsAlarmEvent {
  readonly kind: 'contacts-alarm';
  readonly reason: 'rolled-back' | 'forked' | 'forged';
  readonly version: number;
  /** That this device knows. */
  readonly known: number;
}

/** A stranger has written, where strangers only ask (`ClientContacts.setPolicy`): to be accepted, declined, or let be. */
export interface ContactRequestEvent extends ContactRequest {
  readonly kind: 'contact-request';
}
