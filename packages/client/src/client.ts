/**
 * The SDK's door: one device of one account (docs/spec/client.md). It opens a device, connects, sends, reads and closes; everything else
 * stands under its topic. Everything that a device must not lose is in its storage before it matters.
 */
import type { SuiteName } from '@sealwire/crypto/port';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { ClientAccount } from './accounts/client-account.ts';
import type { ClientDevices } from './accounts/client-devices.ts';
import type { ClientTrust } from './accounts/client-trust.ts';
import { secretIn } from './accounts/recovery-key.ts';
import {
  type CallOptions,
  checkOnKeptOut,
  type JoinOptions,
  type LinkOptions,
  type OpenOptions,
  type RecoverOptions,
  type RegisterOptions,
  type SendOptions,
} from './client-options.ts';
import type { ServerNotice, ServerNotices } from './connection/server-notices.ts';
import type { ClientBlocks } from './contacts/client-blocks.ts';
import type { ClientContacts } from './contacts/client-contacts.ts';
import type { ClientEngines } from './engines/client-engines.ts';
import { enter, moveAndOpen, type ReadyDevice, reopen } from './entering.ts';
import { ClientError, throwIfAborted } from './errors.ts';
import type { ConnectionState, Content, IncomingEvent, OutgoingMessage } from './events.ts';
import type { ClientFiles } from './files/client-files.ts';
import type { ReceivedFiles } from './files/received-files.ts';
import type { ClientGroups } from './groups/client-groups.ts';
import type { History } from './history/history.ts';
import type { ClientInbox } from './messages/client-inbox.ts';
import type { ClientOutbox } from './messages/client-outbox.ts';
import type { ClientTimers } from './messages/client-timers.ts';
import type { ClientSessions } from './messages/healing/client-sessions.ts';
import type { ReadOptions } from './messages/inbox.ts';
import type { ClientReceipts } from './messages/receipts/client-receipts.ts';
import { assembleParts, type Parts } from './parts.ts';
import type { ClientPresence } from './presence/client-presence.ts';
import type { ClientTyping } from './presence/client-typing.ts';
import type { ClientVerification } from './verification/client-verification.ts';

const ACCOUNT_SECRET_BYTES = 32;

export type { CertificateInfo, CertificateState } from './accounts/device-authority.ts';
export type { ApproveOptions, LinkRequest } from './accounts/linking/link-as-old.ts';
export type { UndoneLinking } from './accounts/linking/newcomers.ts';
export type { WaitingDevice } from './accounts/waiting-devices.ts';
export type {
  CallOptions,
  JoinOptions,
  LinkOptions,
  OpenOptions,
  RecoverOptions,
  RegisterOptions,
  SendOptions,
  SuiteOptions,
} from './client-options.ts';
export type { ServerNotice };

export class Client {
  readonly address: AccountAddress;
  readonly device: DeviceId;
  /** The suites of its identities, in order of preference. */
  readonly suites: readonly SuiteName[];
  readonly server: string;
  /** Its secrets, its passwords for other programs, its end: docs/spec/recovery.md. */
  readonly account: ClientAccount;
  /** Who belongs to the account, comes and goes: docs/spec/linking.md. */
  readonly devices: ClientDevices;
  /** Whom this device believes, and whom it sends to: docs/spec/verification.md. */
  readonly trust: ClientTrust;
  /** That nobody is between the user and somebody else: docs/spec/verification.md. */
  readonly verification: ClientVerification;
  /** Whom the user knows, and who may write: docs/spec/contacts.md. */
  readonly contacts: ClientContacts;
  readonly blocks: ClientBlocks;
  /** Conversations of several accounts: docs/spec/groups.md. */
  readonly groups: ClientGroups;
  /** What has become of messages that were sent: docs/spec/client.md section 5. */
  readonly outbox: ClientOutbox;
  /** Events that are set aside: docs/spec/client.md section 6. */
  readonly inbox: ClientInbox;
  /** Whether others are told what becomes of their messages, and what the application has shown: docs/spec/messages.md section 7. */
  readonly receipts: ClientReceipts;
  /** How long messages of a conversation may be shown: docs/spec/messages.md section 6. */
  readonly timers: ClientTimers;
  /** What could not be read: docs/spec/healing.md. */
  readonly sessions: ClientSessions;
  /** Messages that this device keeps, if it is to: docs/spec/history.md. */
  readonly history: History;
  /** Files that messages name: docs/spec/files.md. */
  readonly files: ClientFiles;
  /** Those that an application keeps because it keeps no messages. */
  readonly receivedFiles: ReceivedFiles;
  /** To whom this device shows itself, and who of them is online: docs/spec/presence.md. */
  readonly presence: ClientPresence;
  /** Who types: docs/spec/presence.md section 4. */
  readonly typing: ClientTyping;
  /** What whoever runs the server says to all, of no account: an application shows it as the server’s word. */
  readonly serverNotices: Pick<ServerNotices, 'onNotice'>;
  /** Other encryptions than LIME: docs/spec/engines.md. */
  readonly engines: ClientEngines;
  readonly #parts: Parts;
  #closing: Promise<void> | undefined;

  /**
   * Makes an account with this device as its first. Keys are saved before any byte of them leaves. Every step can be repeated: called
   * again with the same storage it goes on where it stopped. On an error the storage stays open, and the caller's to close.
   * Throws `ClientError`: `name-taken`, `invitation-invalid`, `already-registered`, `registration-pending`, `unreachable`, …
   */
  static async register(options: RegisterOptions): Promise<Client> {
    const { server, name, invitation, resetCode } = options;
    const request = { kind: 'create', server, name, invitation, resetCode, accountSeed: undefined } as const;
    return new Client(await enter(options, request), options);
  }

  /** Adds this device to an account that exists: publishes the next manifest with it. Otherwise as `register`. */
  static async join(options: JoinOptions): Promise<Client> {
    const { server, name, accountSecret } = options;
    if (accountSecret.length !== ACCOUNT_SECRET_BYTES)
      throw new ClientError('wrong-account-secret', `an account secret has ${ACCOUNT_SECRET_BYTES} bytes`);
    const request = { kind: 'join', server, name, invitation: undefined, accountSeed: accountSecret.slice() } as const;
    return new Client(await enter(options, request), options);
  }

  /**
   * Brings a new device into an account whose devices are lost, by its recovery key: the next manifest names this device alone, and contacts
   * see an ordinary change of devices. Otherwise as `join`. Throws also `bad-recovery-key`, which names the group with the mistake, and
   * `wrong-account-secret`.
   */
  static async recover(options: RecoverOptions): Promise<Client> {
    const { server, name, recoveryKey, keepDevices = false, runtime } = options;
    const accountSeed = secretIn(runtime.crypto, recoveryKey);
    const request = { kind: 'join', server, name, invitation: undefined, accountSeed, alone: !keepDevices } as const;
    return new Client(await enter(options, request), options);
  }

  /**
   * Makes this a further device of an account with the word of a device that belongs to it (`ClientDevices.answerLink`). Otherwise as
   * `register`. Throws also `unknown-account`, `link-over`, `link-forged`.
   */
  static async link(options: LinkOptions): Promise<Client> {
    const { server, name } = options;
    const request = { kind: 'link', server, name, invitation: undefined, accountSeed: undefined } as const;
    return new Client(await enter(options, { ...request, prompts: options }), options);
  }

  /** Opens a registered device. Throws `ClientError`: `not-registered`, `registration-pending`, `join-pending`, `wrong-passphrase`, `corrupt`. */
  static async open(options: OpenOptions): Promise<Client> {
    return new Client(await reopen(options), options);
  }

  /**
   * Opens a registered device whose server has another address now, and keeps that when the server has shown that it is the same: our
   * domain, our account under its key, our login. Otherwise as `open`; on an error nothing has changed.
   */
  static async move(options: OpenOptions & { readonly server: string }): Promise<Client> {
    return new Client(await moveAndOpen(options), options);
  }

  private constructor(device: ReadyDevice, options: OpenOptions) {
    const parts = assembleParts(device, options);
    this.address = device.self.address;
    this.device = device.self.device;
    this.suites = device.self.suites;
    this.server = device.self.server;
    this.account = parts.topics.account;
    this.devices = parts.topics.devices;
    this.trust = parts.topics.trust;
    this.verification = parts.topics.verification;
    this.contacts = parts.topics.contacts;
    this.blocks = parts.topics.blocks;
    this.groups = parts.topics.groups;
    this.outbox = parts.topics.outbox;
    this.inbox = parts.topics.inbox;
    this.receipts = parts.topics.receipts;
    this.timers = parts.topics.timers;
    this.sessions = parts.topics.sessions;
    this.history = parts.topics.history;
    this.files = parts.topics.files;
    this.receivedFiles = parts.topics.receivedFiles;
    this.presence = parts.topics.presence;
    this.typing = parts.topics.typing;
    this.serverNotices = parts.topics.serverNotices;
    this.engines = parts.topics.engines;
    this.#parts = parts;
  }

  get state(): ConnectionState {
    return this.#parts.connection.state;
  }

  /** Calls `listener` with each new state; the answer ends that. */
  onState(listener: (state: ConnectionState) => void): () => void {
    return this.#parts.connection.onState(listener);
  }

  /**
   * Resolves when online for the first time; then stays connected until `close`. Rejects when that can never be (`login-refused`,
   * `device-removed`, `protocol-error`) and when `signal` fires first; both end this client. Not to be reached is no failure: it goes on.
   */
  connect(options: CallOptions = {}): Promise<void> {
    const online = this.#parts.connection.start(options.signal);
    // The reason also reaches whoever reads messages or waits for `accepted`: not awaiting this promise is allowed.
    online.catch(() => undefined);
    return online;
  }

  /**
   * Queues a message for `to`, a name on this server, an address, or the address of a group. Resolves when it is durable in the outbox; it
   * leaves when there is a connection, now or after a restart. Throws `ClientError`: `bad-address`, `message-too-large`, `unsafe-device`,
   * `untrusted-device`, `uncertified-account`, `no-such-group`, `not-a-member`. Devices that policy keeps out refuse it, or are left out
   * (`onKeptOut`) and named by `accepted` and a `device-skipped` event; where nobody would be left it is refused all the same.
   */
  async send(to: string, content: Content | string, options: SendOptions = {}): Promise<OutgoingMessage> {
    const { signal, onKeptOut } = options;
    throwIfAborted(signal);
    this.#parts.connection.refuseWhenStopped();
    return this.outbox.send(to, content, onKeptOut && checkOnKeptOut(onKeptOut));
  }

  /**
   * Messages and other events in order, one reader at a time. An event is forgotten when the next one is asked for, or when the loop is
   * ended by `signal`: leaving the loop by `break` or an error keeps it for the next reader, five times; then it is parked, and a `parked`
   * event comes in its place. Ends when the client is closed, throws the reason when it is stopped for good.
   */
  messages(options: ReadOptions = {}): AsyncIterable<IncomingEvent> {
    return this.#parts.read(options);
  }

  /** Disconnects, waits for what is under way (for what heals a session two seconds at most), closes the storage. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#parts.close();
    return this.#closing;
  }
}
