/**
 * The port of an encryption engine, shaped like Linphone's IMEE (docs/spec/engines.md): an outgoing message goes to the engine that its
 * conversation chose, else it is offered to the engines in order until one says `done`; an incoming one goes to the engine that its
 * envelope names. What no engine takes is not sent.
 *
 * The steps that change state are synchronous and work on a `Transaction` of the client: an engine's ratchets, the ciphertext and the
 * outbox entry become durable in one write, or none of them does. What needs the network is gathered before, and changes nothing. All
 * records that an engine sees are its own.
 *
 * An engine without keys and sessions is written in terms of `callback-engine.ts`.
 */
import type { FloePrimitives } from '@sealwire/crypto/floe';
import type { CryptoProvider, RandomBytes, SuiteName } from '@sealwire/crypto/port';
import type { SealedFile } from '@sealwire/wire/file-descriptor';
import type { Part } from '@sealwire/wire/frames';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { DirectoryKeys } from '@sealwire/wire/keys-check';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import type { ReadSealed } from '../files/file-decryption.ts';
import type { Records, Transaction } from '../storage/ledger.ts';
import type { Difference } from './keys-comparison.ts';

/** IMEE's 0, -1 and error codes. */
export type EngineResult<T> =
  | { readonly status: 'done'; readonly value: T }
  /** Not for this engine: the next one is asked. */
  | { readonly status: 'skipped' }
  | EngineFailure;

export interface EngineFailure {
  readonly status: 'error';
  readonly code: string;
  /** One line, with the fix where there is one. */
  readonly text: string;
  /** The device whose identity key is not the manifest's: it becomes unsafe. */
  readonly suspect?: DeviceId;
  /** The session with the sender may be broken: in a new one the message can be sent again. */
  readonly sessionBroken?: true;
  /** Of an incoming message: the sender is told, by a status code of SIP (RFC 3261 section 21), e.g. 488. */
  readonly statusCode?: number;
}

/** A device that the verified manifest of its account names. */
export interface EngineDevice {
  readonly id: DeviceId;
  readonly identities: readonly DeviceIdentity[];
}

export interface OutgoingDraft {
  /** The account the message is for; the encryption is bound to it, in the copies for our own other devices too. */
  readonly recipientUser: AccountAddress;
  readonly recipients: readonly EngineDevice[];
  /** Our own other devices. */
  readonly copies: readonly EngineDevice[];
  readonly plaintext: Uint8Array;
}

export interface SealedMessage {
  /** One for each recipient and copy; empty content for a device that cannot be encrypted to. */
  readonly parts: readonly Part[];
  readonly cipherMessage: Uint8Array;
  /** Why a device got an empty part. */
  readonly unserved: readonly Unserved[];
}

export interface Unserved {
  readonly device: DeviceId;
  /** The directory has no keys of it; it has some that are not good; there is no suite that both have. */
  readonly reason: 'no-keys' | 'bad-keys' | 'no-common-suite';
}

export interface ReceivedMessage {
  readonly sender: EngineDevice;
  /** The other account. */
  readonly conversation: AccountAddress;
  readonly recipientUser: AccountAddress;
  readonly content: Uint8Array;
  readonly cipherMessage: Uint8Array;
}

export interface EngineContext {
  /** The engine's own. */
  readonly records: Records;
  /** Posts one message to the LIME key directory in the name of this device; answers its bytes. Throws `ClientError`. */
  postToDirectory(body: Uint8Array): Promise<Uint8Array>;
  /** Asks the directory whether it holds these keys of this device; answers what differs. Throws `ClientError`. */
  compareKeys(suite: SuiteName, keys: DirectoryKeys): Promise<readonly Difference[]>;
  /** Makes a change of the engine's own durable. */
  commit<T>(work: (transaction: Transaction) => T): Promise<T>;
}

/** The directory did not hold what it should. */
export interface KeysFinding {
  readonly suite: SuiteName;
  /** `registration`: it did not know the device. `oneTimePrekeys`: it held some that the device cannot open. */
  readonly part: Difference;
  /** Never an identity key: that is for people to look into. */
  readonly mended: boolean;
}

/** One file that is being encrypted, under a key of its own. */
export interface EncryptingFile {
  /** Bytes of all that `bytes` answers. */
  readonly sealedSize: number;
  /** What opens it. Throws `bad-file` before `bytes` has come to its end. */
  readonly sealed: SealedFile;
  /** Once. Throws `file-changed` when the file is not as long as was said. */
  bytes(): AsyncIterable<Uint8Array>;
}

/** docs/spec/files.md. What is decrypted is the sender's, byte for byte in its place, or `bad-file` is thrown before it. */
export interface FileHooks {
  /** Absent: it takes the files of every conversation. */
  takes?(conversation: AccountAddress): boolean;
  /** `conversation`: undefined for a file that is for several, which an engine that must be chosen never gets. */
  encrypt(size: number, plaintext: AsyncIterable<Uint8Array>, conversation: AccountAddress | undefined): EncryptingFile;
  /** The end of the file comes only when all of it was right. */
  decrypt(file: SealedFile, sealed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** From `start` up to `end`, not included; `read` answers parts of the encrypted file. */
  decryptRange(file: SealedFile, read: ReadSealed, start: number, end: number): AsyncIterable<Uint8Array>;
}

/** The keys of an engine whose devices have identities in manifests. It is there from the first day of a device. */
export interface DeviceKeys {
  /** Makes the identities of this device, for its manifest. Called once in the life of a device. */
  createDevice(suites: readonly SuiteName[], transaction: Transaction): DeviceIdentity[];
  /** Publishes the device's keys. Idempotent: repeated after a lost answer or a crash. */
  publish(context: EngineContext): Promise<void>;
  /** Daily work: new prekeys. Cheap when nothing is due. */
  upkeep(context: EngineContext): Promise<void>;
  /** Compares what the directory holds of this device with what it should, and mends what differs. Throws `ClientError`. */
  checkKeys(context: EngineContext): Promise<readonly KeysFinding[]>;
}

export interface EngineSessions {
  /** What is sent to the device next begins a new session; what there was still reads. Idempotent. */
  retireSession(device: DeviceId, transaction: Transaction): void;
  /** Sessions and pinned keys of a peer device go. Idempotent. */
  forgetDevice(device: DeviceId, transaction: Transaction): void;
}

export interface EncryptionEngine {
  /** What the envelope says: lower case, at most 32 characters. */
  readonly id: string;
  /** It takes and reads nothing but messages of conversations that chose it: anybody could make them. */
  readonly mustBeChosen?: true;
  /** Absent: no identity in manifests. */
  readonly keys?: DeviceKeys;
  /** Absent: every message stands for itself. */
  readonly sessions?: EngineSessions;
  /** Absent: files of its conversations go under the first engine's. */
  readonly files?: FileHooks;
  /** What `processOutgoing` will need from the network. Absent: nothing. */
  gather?(draft: OutgoingDraft, context: EngineContext): Promise<EngineResult<unknown>>;
  /** `gathered`: the value of `gather`. Error `keys-missing` when another message used it up meanwhile: gather again. */
  processOutgoing(draft: OutgoingDraft, gathered: unknown, transaction: Transaction): EngineResult<SealedMessage>;
  /** Answers the plaintext. Changes made before an error are dropped. */
  processIncoming(message: ReceivedMessage, transaction: Transaction): EngineResult<Uint8Array>;
}

export interface EngineSetup {
  /** This device. */
  readonly device: DeviceId;
  /** Origin of its server. */
  readonly server: string;
  readonly crypto: CryptoProvider;
  /** For files. Default: `crypto`. */
  readonly floe?: FloePrimitives;
  readonly random: RandomBytes;
  readonly now: () => number;
}

/** Throws `ClientError` `engine-refused` when the engine is not to be used here. */
export type EngineFactory = (setup: EngineSetup) => EncryptionEngine;
