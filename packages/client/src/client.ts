/**
 * The SDK's door: one device of one account (docs/spec/client.md). Everything it must not lose is in its storage before it matters;
 * what is below is composition, the rules are in the files it is composed of.
 */
import type { SuiteName } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { ServerFrame, Welcome } from '@sealwire/wire/frames';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, type DeviceId, typedAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import { acceptReset } from './accounts/account-reset.ts';
import { administratorSeed } from './accounts/administrator.ts';
import {
  type AppPasswordInfo,
  listAppPasswords,
  makeAppPassword,
  type NewAppPassword,
  revokeAppPassword,
} from './accounts/app-passwords.ts';
import { type CertificateInfo, DeviceAuthority } from './accounts/device-authority.ts';
import { type LinkRequest, linkAsOld } from './accounts/linking/link-as-old.ts';
import { type UndoneLinking, undoLinking } from './accounts/linking/newcomers.ts';
import { moveTo } from './accounts/move.ts';
import { deleteAccount, leaveAccount, listDevices, removeDevice } from './accounts/own-account.ts';
import { lowestTrust, type PeerRecord, trustIn } from './accounts/peer-record.ts';
import { isRecoveryKeyOf, recoveryKeyOf, secretIn } from './accounts/recovery-key.ts';
import { register } from './accounts/registration.ts';
import { readSelf, type SelfRecord } from './accounts/self-record.ts';
import { ClientTrustPolicy, refuseUntrusted } from './accounts/trust-policy.ts';
import { admitDevice, type WaitingDevice, waitingDevices } from './accounts/waiting-devices.ts';
import {
  type CallOptions,
  configureHistory,
  type JoinOptions,
  type LinkOptions,
  type OpenOptions,
  type RecoverOptions,
  type RegisterOptions,
  type SuiteOptions,
  suitesOf,
} from './client-options.ts';
import { Connection } from './connection/connection.ts';
import { type ServerNotice, ServerNotices } from './connection/server-notices.ts';
import { ClientBlocks } from './contacts/client-blocks.ts';
import { ClientContacts } from './contacts/client-contacts.ts';
import { ContactSync } from './contacts/contact-sync.ts';
import { ClientEngines } from './engines/client-engines.ts';
import type { KeysFinding } from './engines/engine.ts';
import { limeEngine } from './engines/lime/lime-engine.ts';
import { ClientError, throwIfAborted } from './errors.ts';
import type {
  Arrival,
  ConnectionState,
  Content,
  DeviceInfo,
  IncomingEvent,
  OutgoingMessage,
  PeerInfo,
  SetAside,
  Trust,
  Unconfirmed,
  Unread,
} from './events.ts';
import { ClientFiles } from './files/client-files.ts';
import { ReceivedFiles } from './files/received-files.ts';
import { assembleGroups, type Groups } from './groups/assemble-groups.ts';
import type { ClientGroups } from './groups/client-groups.ts';
import { History } from './history/history.ts';
import { ReceiptSchedule } from './messages/chain/receipt-schedule.ts';
import { checkLifetime, pairTimer, setPairTimer } from './messages/conversation-timer.ts';
import { refuseUnsafe } from './messages/fan-out.ts';
import { Inbox, type ReadOptions } from './messages/inbox.ts';
import { Outbox } from './messages/outbox.ts';
import { contentOf, plaintextOf } from './messages/plaintext.ts';
import { ClientReceipts } from './messages/receipts/client-receipts.ts';
import { receiptLevel, requestsAt } from './messages/receipts/receipt-level.ts';
import { Receiver } from './messages/receiver.ts';
import { SeenIds } from './messages/seen.ts';
import { Sender } from './messages/sender.ts';
import { ClientPresence, type PresenceEvent, type TypingEvent } from './presence/client-presence.ts';
import { Typing } from './presence/typing.ts';
import { type ClientRuntime, platformTimers } from './runtime.ts';
import { assemble, type Services } from './services.ts';
import { Ledger } from './storage/ledger.ts';
import { KeyUpkeep } from './upkeep/key-upkeep.ts';
import { KeysCheck } from './upkeep/keys-check.ts';
import { ManifestWatch } from './upkeep/manifest-watch.ts';
import { OwnDevices } from './upkeep/own-devices.ts';
import { ClientVerification } from './verification/client-verification.ts';
import { Dialogues } from './verification/dialogues.ts';

const MESSAGE_ID_BYTES = LIMITS.messageIdBytes.value;
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
  SuiteOptions,
} from './client-options.ts';
export type { ServerNotice } from './connection/server-notices.ts';

export class Client {
  readonly address: AccountAddress;
  readonly device: DeviceId;
  /** The suites of its identities, in order of preference. */
  readonly suites: readonly SuiteName[];
  readonly server: string;
  readonly engines: ClientEngines;
  /** Files that messages name: docs/spec/files.md. */
  readonly files: ClientFiles;
  /** Those that an application keeps because it keeps no messages. */
  readonly receivedFiles: ReceivedFiles;
  /** Whom the user knows, and who may write: docs/spec/contacts.md. */
  readonly contacts: ClientContacts;
  readonly blocks: ClientBlocks;
  readonly #contactSync: ContactSync;
  /** Messages that this device keeps, if it is to: docs/spec/history.md. */
  readonly history: History;
  readonly #services: Services;
  /** Undefined: nobody is asked for a certificate. */
  readonly #authority: DeviceAuthority | undefined;
  readonly #runtime: ClientRuntime;
  readonly #storageLedger: Ledger;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  /** Whether others are told what becomes of their messages, and what the application has shown: docs/spec/messages.md section 7. */
  readonly receipts: ClientReceipts;
  /** Conversations of several accounts: docs/spec/groups.md. */
  readonly groups: ClientGroups;
  readonly #groups: Groups;
  /** That nobody is between the user and somebody else: docs/spec/verification.md. */
  readonly verification: ClientVerification;
  readonly #dialogues: Dialogues;
  /** Whether only trusted devices are sent to: docs/spec/verification.md section 6. */
  readonly trustPolicy: ClientTrustPolicy;
  /** To whom this device shows itself, and who of them is online: docs/spec/presence.md. */
  readonly presence: ClientPresence;
  readonly #typing: Typing;
  readonly #serverNotices = new ServerNotices();
  readonly #receiptSchedule: ReceiptSchedule;
  readonly #connection: Connection;
  readonly #upkeep: KeyUpkeep;
  readonly #keysCheck: KeysCheck;
  readonly #manifestWatch: ManifestWatch;
  #closing: Promise<void> | undefined;

  /**
   * Makes an account with this device as its first. Keys are saved before any byte of them leaves. Every step can be repeated: called
   * again with the same storage it goes on where it stopped. On an error the storage stays open, and the caller's to close.
   * Throws `ClientError`: `name-taken`, `invitation-invalid`, `already-registered`, `registration-pending`, `unreachable`, …
   */
  static async register(options: RegisterOptions): Promise<Client> {
    const { server, name, invitation, resetCode } = options;
    return Client.#enter(options, { kind: 'create', server, name, invitation, resetCode, accountSeed: undefined });
  }

  /** Adds this device to an account that exists: publishes the next manifest with it. Otherwise as `register`. */
  static async join(options: JoinOptions): Promise<Client> {
    const { server, name, accountSecret } = options;
    if (accountSecret.length !== ACCOUNT_SECRET_BYTES)
      throw new ClientError('wrong-account-secret', `an account secret has ${ACCOUNT_SECRET_BYTES} bytes`);
    return Client.#enter(options, {
      kind: 'join',
      server,
      name,
      invitation: undefined,
      accountSeed: accountSecret.slice(),
    });
  }

  /**
   * Brings a new device into an account whose devices are lost, by its recovery key: the next manifest names this device alone, and contacts
   * see an ordinary change of devices. Otherwise as `join`. Throws also `bad-recovery-key`, which names the group with the mistake, and
   * `wrong-account-secret`.
   */
  static async recover(options: RecoverOptions): Promise<Client> {
    const { server, name, recoveryKey, keepDevices = false, runtime } = options;
    const accountSeed = secretIn(runtime.crypto, recoveryKey);
    return Client.#enter(options, {
      kind: 'join',
      server,
      name,
      invitation: undefined,
      accountSeed,
      alone: !keepDevices,
    });
  }

  /**
   * Makes this a further device of an account with the word of a device that belongs to it (`answerLink`). Otherwise as `register`. Throws
   * also `unknown-account`, `link-over`, `link-forged`.
   */
  static async link(options: LinkOptions): Promise<Client> {
    const { server, name } = options;
    const request = { kind: 'link', server, name, invitation: undefined, accountSeed: undefined } as const;
    return Client.#enter(options, { ...request, prompts: options });
  }

  /** Opens a registered device. Throws `ClientError`: `not-registered`, `registration-pending`, `join-pending`, `wrong-passphrase`, `corrupt`. */
  static async open(options: OpenOptions): Promise<Client> {
    throwIfAborted(options.signal);
    const ledger = await Ledger.open(options.storage);
    const self = readyIn(ledger);
    await configureHistory(ledger, options);
    return new Client(ledger, self, options);
  }

  /**
   * Opens a registered device whose server has another address now, and keeps that when the server has shown that it is the same: our
   * domain, our account under its key, our login. Otherwise as `open`; on an error nothing has changed.
   */
  static async move(options: OpenOptions & { readonly server: string }): Promise<Client> {
    throwIfAborted(options.signal);
    const ledger = await Ledger.open(options.storage);
    const { runtime, signal, engines = [limeEngine] } = options;
    const self = await moveTo(ledger, readyIn(ledger), options.server, runtime, engines, signal);
    await configureHistory(ledger, options);
    return new Client(ledger, self, options);
  }

  static async #enter(
    options: OpenOptions & SuiteOptions,
    request: Pick<
      Parameters<typeof register>[1],
      'kind' | 'server' | 'name' | 'invitation' | 'resetCode' | 'accountSeed' | 'alone' | 'prompts'
    >,
  ): Promise<Client> {
    throwIfAborted(options.signal);
    const ledger = await Ledger.open(options.storage);
    const { runtime, signal, engines = [limeEngine] } = options;
    const self = await register(ledger, { ...request, suites: suitesOf(options), runtime, engines, signal });
    await configureHistory(ledger, options);
    return new Client(ledger, self, options);
  }

  private constructor(ledger: Ledger, self: SelfRecord, options: OpenOptions) {
    const { runtime, engines = [limeEngine] } = options;
    const timers = runtime.timers ?? platformTimers;
    const { random, now } = runtime;
    const services = assemble(ledger, self, runtime, engines);
    const { crypto } = runtime;
    const { deviceAuthority } = options;
    this.#authority = deviceAuthority && new DeviceAuthority({ crypto, now, own: self.address, ...deviceAuthority });
    this.address = self.address;
    this.device = self.device;
    this.suites = self.suites;
    this.server = self.server;
    this.engines = new ClientEngines(services.engines, ledger, (to) => this.#addressOf(to));
    this.files = new ClientFiles({ services, runtime, timers, addressOf: (to) => this.#addressOf(to) });
    this.trustPolicy = new ClientTrustPolicy(ledger, (to) => this.#addressOf(to));
    this.receivedFiles = new ReceivedFiles(ledger, runtime.now);
    this.#runtime = runtime;
    this.#services = services;
    this.#storageLedger = ledger;
    this.history = new History({
      ledger,
      me: self.device,
      now,
      timers,
      random,
      floe: runtime.floe ?? runtime.crypto,
      addressOf: (to) => this.#addressOf(to),
      others: (conversation) => this.#writersIn(conversation),
      failed: (code) => runtime.trace?.({ name: 'history-failed', code }),
    });
    this.#inbox = new Inbox(ledger, (transaction, event) => this.history.recorder.arrived(transaction, event));
    services.alarms.bind(this.#inbox);
    this.#outbox = new Outbox(ledger, this.history.recorder);
    const addressOf = (to: string) => this.#addressOf(to);
    const wake = () => this.#sender.wake();
    const met: ClientContacts['met'] = (transaction, accounts) => this.contacts.met(transaction, accounts);
    const parts = { services, runtime, inbox: this.#inbox, outbox: this.#outbox, addressOf, wake, met };
    this.#groups = assembleGroups(parts);
    this.groups = this.#groups.client;
    const broken = (reason: ClientError) => this.#connection.fail(reason);
    const drop = (reason: string, retryAfterMs?: number) => this.#connection.drop(reason, retryAfterMs);
    const common = {
      ...services,
      authority: this.#authority,
      inbox: this.#inbox,
      me: self.device,
      timers,
      broken,
      drop,
    };
    const { receiptMessages = true } = options;
    this.#receiptSchedule = new ReceiptSchedule(timers, random, () => this.#sender.wake());
    const owing = (conversation: AccountAddress) => {
      // In a group what is written back carries them: a message of each member to each would be many.
      if (receiptMessages && this.state === 'online' && !isGroupAddress(conversation))
        this.#receiptSchedule.heard(conversation);
    };
    this.receipts = new ClientReceipts({
      ...services,
      me: self.device,
      addressOf: (to) => this.#addressOf(to),
      owing,
      shown: (transaction, message) => this.history.shown(transaction, message),
    });
    this.#dialogues = new Dialogues({
      ...common,
      ...runtime,
      timers,
      send: (message) => this.#sender.sendDirect(message),
    });
    const verifying = { ...services, crypto: runtime.crypto, own: self.address, dialogues: this.#dialogues };
    this.verification = new ClientVerification({ ...verifying, addressOf: (to) => this.#addressOf(to) });
    const transmit = () => (this.state === 'online' ? (frame: Uint8Array) => this.#connection.send(frame) : undefined);
    const aside = {
      ...common,
      ...runtime,
      timers,
      transmit,
      isBlocked: (account: AccountAddress) => this.blocks.isBlocked(account),
    };
    this.presence = new ClientPresence({ ...aside, addressOf: (to) => this.#addressOf(to) });
    this.#typing = new Typing({ ...aside, others: (conversation) => this.#writersIn(conversation) });
    this.#receiver = new Receiver({
      ...common,
      groups: this.#groups.incoming,
      verification: (message) => this.#dialogues.received(message),
      typing: (transaction, chain, content) => this.#typing.take(transaction, chain, content),
      owing,
      heal: (to) => this.#sender.heal(to),
      seen: new SeenIds(ledger),
      acknowledge: (seq) => this.#connection.acknowledge(seq),
    });
    this.#sender = new Sender({
      ...common,
      groups: this.#groups.audiences,
      outbox: this.#outbox,
      receipts: this.#receiptSchedule,
      random,
      now,
      transmit: (frame) => this.#connection.send(frame),
    });
    const trace = (name: string, details: Record<string, string | number> = {}) =>
      runtime.trace?.({ name, ...details });
    this.#upkeep = new KeyUpkeep({ ...services, timers, trace });
    this.#keysCheck = new KeysCheck({ ...services, inbox: this.#inbox, timers, random, now, trace });
    services.onSetback(() => this.#keysCheck.soon());
    const devices = new OwnDevices({ ...common, now });
    this.#contactSync = new ContactSync({ ...common, ...runtime, timers, trace });
    this.contacts = new ClientContacts({
      ...services,
      sync: this.#contactSync,
      now,
      addressOf,
      companions: () => this.#groups.store.companions(),
    });
    const blocked = (account: AccountAddress) => this.presence.hideFrom(account);
    this.blocks = new ClientBlocks({ ...services, addressOf, blocked });
    this.#manifestWatch = new ManifestWatch({ ...services, devices, address: self.address, timers, random, trace });
    this.#connection = new Connection({
      url: new URL(self.server).origin.replace(/^http/, 'ws') + self.paths.relay,
      tokens: services.tokens,
      connectSocket: runtime.connectSocket,
      timers,
      random,
      online: () => {
        const { heard, displays, notices } = services;
        const owed = [...heard.owing(), ...displays.owing(), ...notices.addressees()];
        const ofPairs = owed.filter((conversation) => !isGroupAddress(conversation));
        if (receiptMessages) this.#receiptSchedule.online(ofPairs);
        this.#sender.online();
        this.#dialogues.online();
        this.#manifestWatch.start();
        this.#contactSync.start();
        this.#upkeep.start();
        this.#keysCheck.start();
        this.presence.online();
        void this.#learnBlocks();
      },
      received: (frame) => this.#received(frame),
      offline: () => {
        this.#receiptSchedule.offline();
        this.#sender.offline();
        this.#receiver.offline();
        this.#manifestWatch.stop();
        this.#contactSync.stop();
        this.#upkeep.stop();
        this.#keysCheck.stop();
        this.presence.offline();
        this.#typing.offline();
      },
      stopped: (reason) => {
        this.#outbox.abandon(reason);
        this.#inbox.end(reason);
      },
      trace,
    });
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Calls `listener` with each new state; the answer ends that. */
  onState(listener: (state: ConnectionState) => void): () => void {
    return this.#connection.onState(listener);
  }

  /**
   * Resolves when online for the first time; then stays connected until `close`. Rejects when that can never be (`login-refused`,
   * `device-removed`, `protocol-error`) and when `signal` fires first; both end this client. Not to be reached is no failure: it goes on.
   */
  connect(options: CallOptions = {}): Promise<void> {
    const online = this.#connection.start(options.signal);
    // The reason also reaches whoever reads messages or waits for `accepted`: not awaiting this promise is allowed.
    online.catch(() => undefined);
    return online;
  }

  /**
   * Queues a message for `to`, a name on this server, an address, or the address of a group. Resolves when it is durable in the outbox; it
   * leaves when there is a connection, now or after a restart. Throws `ClientError`: `bad-address`, `message-too-large`, `unsafe-device`,
   * `untrusted-device`, `uncertified-account`, `no-such-group`, `not-a-member`.
   */
  async send(to: string, content: Content | string, options: CallOptions = {}): Promise<OutgoingMessage> {
    throwIfAborted(options.signal);
    this.#connection.refuseWhenStopped();
    const address = this.#addressOf(to);
    const { ledger, book } = this.#services;
    const inGroup = isGroupAddress(address);
    for (const account of inGroup ? this.#groups.audiences.others(address) : [address]) {
      const known = book.find(account);
      if (known) refuseUnsafe(known);
      if (known) refuseUntrusted(ledger, this.address, address, known);
      if (known) await this.#authority?.requireCertified(known, () => book.refresh(account));
    }
    const id = encodeBase64url(this.#runtime.random(MESSAGE_ID_BYTES));
    // In a group nobody is asked for notices: each member would answer all.
    const requests = inGroup ? undefined : requestsAt(receiptLevel(ledger, address));
    const lifetime = this.timer(to);
    const timed = lifetime > 0 ? { lifetime, ...contentOf(content) } : content;
    const plaintext = plaintextOf(timed, id, this.#runtime.now(), requests, this.#typing.keyFor(address));
    const { accepted } = await this.#outbox.add(id, address, plaintext);
    this.#typing.wrote(address);
    // Who is written to may answer: the server is told first.
    if (this.contacts.isStranger(address)) void this.contacts.letIn(address).finally(() => this.#sender.wake());
    else this.#sender.wake();
    return { id, accepted };
  }

  /** Seconds that what is written to `to` from now on may be shown, there and here; 0: no end. Of a group it is the group's. Throws `bad-address`. */
  timer(to: string): number {
    const address = this.#addressOf(to);
    if (isGroupAddress(address)) return this.groups.info(address).lifetime;
    return pairTimer(this.#services.ledger, address) ?? 0;
  }

  /** Durable, for this device; of a group for all members (`ClientGroups.setTimer`). Throws `bad-address`, `bad-request`. */
  async setTimer(to: string, lifetime: number): Promise<void> {
    const address = this.#addressOf(to);
    if (isGroupAddress(address)) return this.groups.setTimer(address, lifetime);
    checkLifetime(lifetime);
    await this.#services.ledger.commit((transaction) => setPairTimer(transaction, address, lifetime));
  }

  /**
   * The user types in the conversation with `to`, or does not any more: told where both sides have switched it on (`presence.set`) and have
   * written to each other, at most once in five seconds, so that an application may say it with each key. Throws `bad-address`.
   */
  typing(to: string, typing: boolean): void {
    this.#typing.say(this.#addressOf(to), typing);
  }

  /** Calls `listener` when somebody begins to type, and when it is over; the answer ends that. */
  onTyping(listener: (event: TypingEvent) => void): () => void {
    return this.#typing.onTyping(listener);
  }

  /** Calls `listener` when whoever runs the server has something to say to all; the answer ends that. Of no account: show it as the server's. */
  onServerNotice(listener: (notice: ServerNotice) => void): () => void {
    return this.#serverNotices.onNotice(listener);
  }

  /** Calls `listener` when one of those of `presence.showTo` looks different than before; the answer ends that. */
  onPresence(listener: (event: PresenceEvent) => void): () => void {
    return this.presence.onPresence(listener);
  }

  /**
   * Messages and other events in order, one reader at a time. An event is forgotten when the next one is asked for, or when the loop is
   * ended by `signal`: leaving the loop by `break` or an error keeps it for the next reader, five times; then it is parked, and a `parked`
   * event comes in its place. Ends when the client is closed, throws the reason when it is stopped for good.
   */
  messages(options: ReadOptions = {}): AsyncIterable<IncomingEvent> {
    return this.#inbox.read(options);
  }

  /** Events that five loops in a row began with and did not get beyond, the oldest first; at most a hundred, of which the oldest go. */
  parked(): readonly SetAside[] {
    return this.#inbox.parked();
  }

  /** Hands a parked event out once more, after those that wait. Throws `ClientError` `not-found`. */
  retry(id: string): Promise<void> {
    return this.#inbox.retry(id);
  }

  /** Calls `listener` with what devices confirm, from now on (docs/spec/chain.md section 4); the answer ends that. */
  onArrived(listener: (arrival: Arrival) => void): () => void {
    return this.#services.written.onArrived(listener);
  }

  /** The newest messages to `to` that some of their devices have not confirmed, the oldest first. Throws `bad-address`. */
  unconfirmed(to: string): Unconfirmed[] {
    return this.#services.written.unconfirmed(this.#addressOf(to));
  }

  /** Why a message of the outbox has not left so far, as the server said last; undefined when it said nothing. */
  refusalOf(id: string): ClientError | undefined {
    return this.#sender.refusalOf(id);
  }

  /** How many messages wait in the outbox. */
  pending(): number {
    return this.#outbox.count;
  }

  /** Resolves when no message waits in the outbox: news of groups too. */
  emptied(): Promise<void> {
    return this.#outbox.emptied();
  }

  /** The account's devices as the server knows them. */
  devices(): Promise<DeviceInfo[]> {
    return listDevices(this.#services);
  }

  /** LIME devices that registered with an app password of this account, and that nobody writes to until they are admitted. */
  waitingDevices(): Promise<WaitingDevice[]> {
    return waitingDevices(this.#services);
  }

  /**
   * Names a waiting device in the manifest, under the identity keys that the user has compared: from then on it gets messages. Throws
   * `not-found`, and `identity-mismatch` when it registered other keys than these.
   */
  admit(id: DeviceId, identities: readonly DeviceIdentity[]): Promise<void> {
    return admitDevice(this.#services, this.#runtime, id, identities);
  }

  /** Cuts a device of this account off at once, then publishes a manifest without it. */
  removeDevice(id: DeviceId): Promise<void> {
    return removeDevice(this.#services, this.#runtime, id);
  }

  /**
   * Compares what the key directory holds of this device with what it should, and mends what differs; happens by itself once a day while
   * connected. What was found also becomes an event. Throws `ClientError`.
   */
  checkKeys(): Promise<readonly KeysFinding[]> {
    return this.#keysCheck.run();
  }

  /** Makes a password for a program that knows no tokens (docs/operations/linphone.md). `name` is the owner's own word for it. */
  makeAppPassword(name: string): Promise<NewAppPassword> {
    return makeAppPassword(this.#services, name);
  }

  appPasswords(): Promise<AppPasswordInfo[]> {
    return listAppPasswords(this.#services);
  }

  revokeAppPassword(id: string): Promise<void> {
    return revokeAppPassword(this.#services, id);
  }

  /**
   * Takes this device out of its account. It is of no use after it. Throws `forbidden` when it is the only one: nobody could publish a
   * list without devices, and the account would be out of everybody's reach.
   */
  leave(): Promise<void> {
    return leaveAccount(this.#services, this.#runtime);
  }

  /** Deletes the account with all its devices. This client is of no use after it. */
  deleteAccount(): Promise<void> {
    return deleteAccount(this.#services);
  }

  /** Reads the code that a new device of this account shows (`Client.link`); nothing happens before it is approved. */
  answerLink(code: string, options: CallOptions = {}): Promise<LinkRequest> {
    return linkAsOld(this.#services, this.#runtime, code, options.signal);
  }

  /**
   * Takes out again the device that came to the account last, within the last ten minutes, as `removeDevice` does. Repeated after an error it
   * goes on. Throws `nothing-to-undo`; `not-administrator` on a device that may not change the list, after it has cut the other one off.
   */
  undoLinking(): Promise<UndoneLinking> {
    return undoLinking(this.#services, this.#runtime);
  }

  /** What the device that let this one in handed over; undefined: nothing, or it was not let in by one. */
  handover(): Uint8Array | undefined {
    return this.#services.self.handover?.slice();
  }

  /** 32 bytes that make any device one of this account's (`Client.join`): to be shown to nobody else. Throws `not-administrator`. */
  exportAccountSecret(): Uint8Array {
    return administratorSeed(this.#services.self).slice();
  }

  /**
   * The account secret in fourteen groups of characters, to be printed: with it `Client.recover` brings a new device in when all are lost.
   * Whoever reads it is the account. Throws `not-administrator`.
   */
  recoveryKey(): string {
    return recoveryKeyOf(this.#runtime.crypto, this.#services.self);
  }

  /** Whether what somebody typed off the paper is this account's recovery key. Throws `not-administrator`, `bad-recovery-key`. */
  isRecoveryKey(typed: string): boolean {
    return isRecoveryKeyOf(this.#runtime.crypto, this.#services.self, typed);
  }

  /** An account's devices and the trust in them, as its newest manifest has it. Throws as a send to it would. */
  async peer(address: string): Promise<PeerInfo> {
    return this.#infoOf(await this.#services.book.refresh(this.#addressOf(address)));
  }

  /** What this device knows of every account that it has met, its own included. Asks nobody. */
  peers(): PeerInfo[] {
    const { book } = this.#services;
    return book.all().map((peer) => this.#infoOf(peer));
  }

  /** The user's word on a device. `unsafe` stops sending to its account until another word is said. */
  setTrust(device: DeviceId, trust: Trust): Promise<void> {
    return this.#services.book.setTrust(device, trust);
  }

  /** Messages that could not be read and have not come again. Asks nobody. */
  unread(): Unread[] {
    return this.#services.unread.list();
  }

  /**
   * Begins new sessions with all devices of an account (docs/spec/healing.md section 6), now or with the next connection, and asks once
   * more for what of theirs could not be read. Answers the devices. Throws as `peer` does.
   */
  async resetSessions(address: string): Promise<readonly DeviceId[]> {
    const { unread, book, ledger } = this.#services;
    const peer = await book.refresh(this.#addressOf(address));
    const devices = peer.manifest.devices.filter(({ id }) => id !== this.device);
    await ledger.commit((transaction) => {
      for (const { id, loginKey } of devices) unread.reset(transaction, id, loginKey.length > 0);
    });
    this.#sender.heal(peer.address);
    return devices.map(({ id }) => id);
  }

  /** The user has found out why a device shows another key: its sessions and pinned keys are forgotten, it is `untrusted` again. */
  acceptIdentityChange(device: DeviceId): Promise<void> {
    return this.#services.book.setTrust(device, 'untrusted', (transaction) =>
      this.#services.engines.forgetDevice(device, transaction),
    );
  }

  /**
   * The user has asked the owner of an account whose `account-reset` event came, in another way, and it was a reset: the new key is believed,
   * its devices are `untrusted`, and messages go there again. `accountKey`: the one that was compared; default: the one that was shown. Throws
   * `forbidden` where none was shown, `account-key-changed` when the server shows yet another one.
   */
  async acceptReset(address: string, accountKey?: Uint8Array): Promise<PeerInfo> {
    return this.#infoOf(await acceptReset(this.#services, this.#addressOf(address), accountKey));
  }

  /** The user has found out why an account shows another account key: all that is known of it is forgotten, the next contact is a first one. */
  async forgetPeer(address: string): Promise<void> {
    const forgotten = this.#addressOf(address);
    if (forgotten === this.address) throw new ClientError('forbidden', 'this is our own account');
    await this.#services.book.forget(forgotten);
  }

  /**
   * What the device authority says of our own account, as the directory showed it last: time to ask for another one when it ends soon.
   * Undefined: none was named. Asks nobody (`peer` of our own address does).
   */
  certificate(): CertificateInfo | undefined {
    const own = this.#services.book.find(this.address);
    return own && this.#authority?.certificateOf(own);
  }

  /** Ed25519, by which the key directory signs its answers, pinned with the first of them; undefined: it has signed none. */
  directoryKey(): Uint8Array | undefined {
    return this.#services.signatures.pinned();
  }

  /** The user has found out why the directory signs with another key: that one is pinned. Throws `not-found`. */
  acceptDirectoryKey(): Promise<void> {
    return this.#services.signatures.accept();
  }

  /** Disconnects, waits for what is under way (for what heals a session two seconds at most), closes the storage. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#dialogues.close();
    await this.#sender.finishHealing();
    this.#services.stop();
    this.#inbox.end('closed');
    await this.#connection.close();
    await Promise.all([this.#sender.idle(), this.#receiver.idle(), this.#manifestWatch.done()]);
    await Promise.all([this.#upkeep.done(), this.#keysCheck.done(), this.#contactSync.done()]);
    await this.history.close();
    const text = 'this client is closed: the message stays in the outbox and leaves when it is opened again';
    this.#outbox.abandon(new ClientError('closed', text, { retryable: true }));
    await this.#storageLedger.close();
  }

  #received(frame: Exclude<ServerFrame, Welcome>): void {
    if (frame.kind === 'accepted') this.#sender.accepted(frame);
    else if (frame.kind === 'rejected') this.#sender.rejected(frame);
    else if (frame.kind === 'left-out') this.#sender.leftOut(frame);
    else if (frame.kind === 'deliver' || frame.kind === 'gap' || frame.kind === 'caught-up') this.#receiver.take(frame);
    else if (frame.kind === 'manifest-published') this.#manifestWatch.hint(frame.version);
    else if (frame.kind === 'contacts-published') this.#contactSync.hint(frame.version);
    else if (frame.kind === 'presence') this.presence.received(frame);
    else if (frame.kind === 'server-notice') this.#serverNotices.received(frame);
    else if (frame.kind === 'ephemeral-deliver') this.#typing.received(frame);
    else if (frame.kind === 'error') this.#runtime.trace?.({ name: 'relay-error', code: frame.code });
  }

  /** Another device of ours may have blocked somebody to whom this one shows itself. */
  async #learnBlocks(): Promise<void> {
    const { online, typing } = this.presence.settings();
    if (!online && !typing) return;
    // Not to be had now: with the next connection.
    if (await this.blocks.list().catch(() => undefined)) this.presence.refresh();
  }

  /** Beside our own account; nobody in a group that it is no member of. */
  #writersIn(conversation: AccountAddress): readonly AccountAddress[] {
    return isGroupAddress(conversation) ? this.#groups.store.othersIn(conversation) : [conversation];
  }

  #infoOf(peer: PeerRecord): PeerInfo {
    const certificate = this.#authority?.certificateOf(peer);
    return { ...infoOf(peer), ...(certificate && { certified: certificate.state === 'certified' }) };
  }

  #addressOf(to: string): AccountAddress {
    try {
      return typedAddress(to, this.#services.self.domain);
    } catch (error) {
      throw new ClientError('bad-address', (error as Error).message, { cause: error });
    }
  }
}

/** Throws `not-registered`, `registration-pending`, `join-pending`. */
function readyIn(ledger: Ledger): SelfRecord {
  const self = readSelf(ledger);
  if (!self) throw new ClientError('not-registered', 'nobody is registered here: register first');
  if (self.step === 'ready') return self;
  if (self.kind === 'link')
    throw new ClientError('join-pending', `this device of ${self.name} was not let in yet: link it again`);
  if (self.kind === 'join')
    throw new ClientError('join-pending', `this device of ${self.name} has not joined yet: join again`);
  throw new ClientError('registration-pending', `the registration of ${self.name} is not finished: register again`);
}

function infoOf(peer: PeerRecord): PeerInfo {
  const { address, accountKey, manifest, verified = false, shown } = peer;
  const devices = manifest.devices.map(({ id, identities, loginKey }) => ({
    ...{ id, identities, trust: trustIn(peer, id) },
    ...(loginKey.length === 0 && { lime: true as const }),
  }));
  const trust = shown ? 'unsafe' : lowestTrust(peer);
  const version = { manifestVersion: manifest.version };
  return { address, accountKey, ...version, devices, verified, trust, ...(shown && { shownKey: shown }) };
}
