/** What the application sees: messages, and the few other things that happen to a mailbox. */
import type { Reply } from '@sealwire/cpim/chat-message';
import type { Disposition } from '@sealwire/cpim/imdn';
import type { ContactPolicy } from '@sealwire/wire/contacts';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import type { ContactRequest } from './contacts/contact-records.ts';
import type { KeysFinding } from './engines/engine.ts';

/** `untrusted`: known, not verified. `trusted`: the user compared keys. `unsafe`: its key changed, or the user says so. */
export type Trust = 'untrusted' | 'trusted' | 'unsafe';

export interface Content {
  /** A media type, e.g. `text/plain`. */
  readonly type: string;
  readonly body: Uint8Array;
  /** The message that this one answers. */
  readonly reply?: Reply;
  /** Id of the message that `body`, an emoji, is a reaction to; an empty one takes it back. */
  readonly reactionTo?: string;
  /** Id of an earlier message of this account, the place of which this one takes. */
  readonly edits?: string;
  /** Id of an earlier message of this account, which is to be shown no more; without a body. */
  readonly deletes?: string;
  /** Accounts that the text names, at most 64. */
  readonly mentions?: readonly AccountAddress[];
  /** Seconds that it may be shown, from its first display on. Default: the timer of the conversation. */
  readonly lifetime?: number;
}

export interface IncomingMessage {
  readonly kind: 'message';
  /** The sender's id of this message, base64url, or a token of a LIME client's choice; the same however often it was sent. */
  readonly id: string;
  readonly from: AccountAddress;
  readonly device: DeviceId;
  /** Whom the message belongs to: the group, or the other account; for what another device of our own sent, whom it was sent to. */
  readonly conversation: AccountAddress;
  readonly type: string;
  readonly body: Uint8Array;
  /** Present for `text/…` that is valid UTF-8. */
  readonly text?: string;
  /** ms, the sender's clock. */
  readonly sentAt: number;
  /** ms, the relay's clock. */
  readonly acceptedAt: number;
  readonly trust: Trust;
  /** The engine that made it; absent: LIME. */
  readonly engine?: string;
  /** What it answers. Of CPIM its sender is a device. */
  readonly reply?: Reply;
  /** Accounts that its text names. */
  readonly mentions?: readonly AccountAddress[];
  /** Seconds that it may be shown, from its first display on; the application sees to it. */
  readonly lifetime?: number;
  /** Its place among what its device writes in this conversation (docs/spec/chain.md); absent: a LIME client of others. */
  readonly number?: number;
  /** The notices that its sender asks for. That it was displayed is for the application to say (`ClientReceipts.displayed`). */
  readonly requests?: readonly Disposition[];
  /** Made by a LIME client that knows neither our encoding nor CPIM: the plaintext as it is; `id` and `sentAt` are the relay's. */
  readonly bare?: true;
}

/**
 * The mailbox lost messages. `expired`: they waited too long. `trimmed`: it was full, as by a flood, and some at least were the oldest of
 * the account that had most in it. `damaged`: some at least were, on the server's disk; with count 0 some may be missing.
 */
export interface GapEvent {
  readonly kind: 'gap';
  readonly count: number;
  readonly reason: 'expired' | 'trimmed' | 'damaged';
}

/** The backlog of this connection is behind us. Not durable: it is said again after each reconnection. */
export interface CaughtUpEvent {
  readonly kind: 'caught-up';
}

/** Something arrived that cannot be shown: not decryptable, from a device outside its account's manifest, of an unknown engine. */
export interface UndecryptableEvent {
  readonly kind: 'undecryptable';
  readonly id: string;
  readonly device: DeviceId;
  readonly code: string;
  readonly acceptedAt: number;
  /** The device is asked to send it again (docs/spec/healing.md). */
  readonly asked?: true;
}

/**
 * What a device sent could not be read: the session with it is broken, as by a profile that was put back to an older state, there or here.
 * A new one is begun, and what could not be read is asked for (docs/spec/healing.md): it comes as a message, or `messages-gone` tells that
 * it does not.
 */
export interface SessionRestartedEvent {
  readonly kind: 'session-restarted';
  readonly device: DeviceId;
  /** Of the first message that could not be read. */
  readonly code: string;
  /** False for a LIME client that knows no requests: what it wrote is lost. */
  readonly asked: boolean;
}

/** What a device could not read it does not have any more, or never had: that cannot be sent again. */
export interface MessagesGoneEvent {
  readonly kind: 'messages-gone';
  readonly device: DeviceId;
  readonly messages: number;
}

/** A device could not read messages of ours, and has asked for them. */
export interface SentAgainEvent {
  readonly kind: 'sent-again';
  readonly device: DeviceId;
  /** What it gets again; as `OutgoingMessage.id`. */
  readonly ids: readonly string[];
  /** How many more it asked for that are not here any more. */
  readonly gone: number;
}

/**
 * A device could not read messages of ours, for a reason that sending them again does not mend: it does not have the engine that made
 * them, or that engine failed there.
 */
export interface MessageRefusedEvent {
  readonly kind: 'message-refused';
  readonly device: DeviceId;
  /** As `OutgoingMessage.id`; a status code of SIP (RFC 3261 section 21): 488 not acceptable there, 500 a fault there, or the engine's own. */
  readonly refusals: readonly { readonly id: string; readonly statusCode: number }[];
}

/**
 * Somebody showed another identity key for a device than its account's manifest names. The device is `unsafe` now, and nothing is sent
 * to its account until the user decides (`setTrust`, `acceptIdentityChange`).
 */
export interface IdentityChangeEvent {
  readonly kind: 'identity-change';
  readonly device: DeviceId;
}

/**
 * The server shows another account key under a name that this device knows: its operator has reset the account, as for somebody who has
 * lost everything, or somebody poses as its owner. All its devices are `unsafe` now, and nothing is sent until the user has asked its owner
 * in another way, and says so (`acceptReset`). With our own address: this device is no part of the account any more.
 */
export interface AccountResetEvent {
  readonly kind: 'account-reset';
  readonly address: AccountAddress;
  /** One sentence. */
  readonly text: string;
}

/**
 * The key directory signs its answers with another key than the pinned one: nothing that it says is believed until the user has found out
 * why (`Client.acceptDirectoryKey`).
 */
export interface DirectoryKeyChangeEvent {
  readonly kind: 'directory-key-change';
}

/** Devices came to our own account, or left it: somebody whom the user did not let in can be removed again (`Client.removeDevice`). */
export interface DevicesChangedEvent {
  readonly kind: 'devices-changed';
  readonly added: readonly DeviceId[];
  readonly removed: readonly DeviceId[];
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

/**
 * The key directory did not hold what this device had published; but for an identity key it does again. Another identity key than ours
 * under our name is an alarm: the server is broken, or lies, and whoever trusts it writes to somebody else.
 */
export interface DirectoryKeysEvent extends KeysFinding {
  readonly kind: 'directory-keys';
}

/** A message queued by an earlier process can never be sent. (One queued by this process rejects its `accepted` instead.) */
export interface SendFailedEvent {
  readonly kind: 'send-failed';
  readonly id: string;
  readonly to: AccountAddress;
  readonly code: string;
  readonly text: string;
}

/**
 * The server has a message, but not for these devices: their mailboxes are full, and its operator chose to refuse rather than to trim.
 * `queued`: no device of the message had room; it stays in the outbox and is tried again. Else they do not get it any more. Told of a
 * message queued by an earlier process, and of queued ones. (One of this process tells it by its `accepted`.)
 */
export interface LeftOutEvent {
  readonly kind: 'left-out';
  readonly id: string;
  readonly to: AccountAddress;
  readonly devices: readonly DeviceId[];
  readonly queued: boolean;
}

/**
 * The application began with an event five times and never asked for the next one: it was set aside, so that the others are read.
 * `Client.parked` shows it, `Client.retry` asks for it again.
 */
export interface ParkedEvent {
  readonly kind: 'parked';
  readonly id: string;
  /** What it was. */
  readonly what: SetAside['event']['kind'];
  /** A hundred are kept: the oldest one, which went for this one. */
  readonly forgotten?: string;
}

/**
 * Messages of a device, `first` to `last` as it counts them in this conversation, did not arrive before a later one did: lost, or held
 * back (docs/spec/chain.md section 3). Some of the numbers may never have been sent; the last one was.
 */
export interface HoleEvent {
  readonly kind: 'hole';
  /** That wrote them. */
  readonly device: DeviceId;
  readonly conversation: AccountAddress;
  readonly first: number;
  readonly last: number;
  /** How many of them the application has heard of already: by a `gap`, or as `undecryptable`. Fewer: the server keeps silent about it. */
  readonly told: number;
  /** The session was broken meanwhile: they may have arrived here before this device was put back to an older state. */
  readonly restarted?: true;
}

/** The message that follows was sent before others that came earlier: the server has changed the order. */
export interface LateEvent {
  readonly kind: 'late';
  readonly device: DeviceId;
  readonly conversation: AccountAddress;
  readonly number: number;
}

/**
 * A device has written two different messages under one number: there are two of it (a copy of its storage, or one that was put back to
 * an older state), or somebody writes in its name.
 */
export interface ForkEvent {
  readonly kind: 'fork';
  readonly device: DeviceId;
  readonly conversation: AccountAddress;
  readonly number: number;
  /** `device` is this very device, and that one has a message of it that it did not write. */
  readonly seenBy?: DeviceId;
}

/** The server accepted messages of ours for a device, which has a later one and not these. */
export interface NotArrivedEvent {
  readonly kind: 'not-arrived';
  readonly to: AccountAddress;
  readonly device: DeviceId;
  /** As `OutgoingMessage.id`. */
  readonly ids: readonly string[];
}

/**
 * A device that its account's signed list names did not get a message, for a reason that only the server could know. Told once for each
 * device and reason, until it gets one again. The first three may be a lie.
 */
export interface DeviceSkippedEvent {
  readonly kind: 'device-skipped';
  readonly id: string;
  readonly to: AccountAddress;
  readonly device: DeviceId;
  readonly reason: SkippedReason;
  /** One sentence. */
  readonly text: string;
}

export type SkippedReason = 'said-gone' | 'no-keys' | 'bad-keys' | 'no-common-suite';

/**
 * A device has got messages of ours (`delivered`), or shown them to its user, who lets it be told (`displayed`); or a LIME device of somebody
 * else says that it could not take them (`not-delivered`). Only what this device asked about: docs/spec/messages.md section 7.
 */
export type ReceiptEvent = { [K in ReceiptKind]: ReceiptOf<K> }[ReceiptKind];
export type ReceiptKind = 'delivered' | 'displayed' | 'not-delivered';

interface ReceiptOf<K extends ReceiptKind> {
  readonly kind: K;
  readonly to: AccountAddress;
  readonly device: DeviceId;
  /** As `OutgoingMessage.id`; at most the newest 128. */
  readonly ids: readonly string[];
  /** ms, that device's clock, of the newest word on it. It lies some seconds behind what happened. */
  readonly at: number;
}

/**
 * Another device of this account has shown messages of `conversation` to the user: those that `device` wrote, up to the number `upTo`
 * (`IncomingMessage.number`), or, from a LIME device of ours, the message `id`.
 */
export interface DisplayedElsewhereEvent {
  readonly kind: 'displayed-elsewhere';
  readonly conversation: AccountAddress;
  /** Ours. */
  readonly by: DeviceId;
  readonly device?: DeviceId;
  readonly upTo?: number;
  readonly id?: string;
}

/** What the events about other messages have in common. */
interface AboutMessage {
  /** The message that is meant: one of `from` in this conversation, but for a reaction. */
  readonly id: string;
  readonly conversation: AccountAddress;
  readonly from: AccountAddress;
  readonly device: DeviceId;
  /** ms, the sender's clock, and the relay's. */
  readonly sentAt: number;
  readonly acceptedAt: number;
}

/** The author of a message has put another text in its place. */
export interface MessageEditedEvent extends AboutMessage {
  readonly kind: 'message-edited';
  readonly type: string;
  readonly body: Uint8Array;
  /** As in `IncomingMessage`. */
  readonly text?: string;
  readonly mentions?: readonly AccountAddress[];
}

/** The author of a message wants it to be shown no more. */
export interface MessageDeletedEvent extends AboutMessage {
  readonly kind: 'message-deleted';
}

/** Somebody reacts to the message `id`, whoever wrote it. An account has one reaction to a message: a new one takes the place of the last. */
export interface ReactionEvent extends AboutMessage {
  readonly kind: 'reaction';
  /** Empty: the reaction is taken back. */
  readonly emoji: string;
}

/** Somebody wants to change or delete a message that is not theirs, or older than the newest 8192: nothing is changed. */
export interface ChangeRefusedEvent extends AboutMessage {
  readonly kind: 'change-refused';
}

/** A member has changed a group: docs/spec/groups.md section 3. */
export interface GroupChangedEvent {
  readonly kind: 'group-changed';
  readonly group: AccountAddress;
  readonly by: AccountAddress;
  readonly change: GroupChange;
  /** ms, the clock of who did it. */
  readonly at: number;
}

export type GroupChange =
  | { readonly kind: 'created'; readonly subject: string }
  | { readonly kind: 'invited' | 'removed' | 'promoted' | 'demoted'; readonly members: readonly AccountAddress[] }
  | { readonly kind: 'joined' | 'joined-by-link' | 'left' | 'declined' | 'picture' | 'link-made' | 'link-revoked' }
  | { readonly kind: 'renamed'; readonly subject: string }
  /** Seconds; 0: messages stay. */
  | { readonly kind: 'timer'; readonly lifetime: number };

/** This account is invited (`client.groups.join`, `decline`). */
export interface GroupInvitedEvent {
  readonly kind: 'group-invited';
  readonly group: AccountAddress;
  readonly by: AccountAddress;
  readonly subject: string;
  readonly members: readonly AccountAddress[];
}

/** Something came for a group that does not count: a message of who is no member, an event that nobody may have made. */
export interface GroupRefusedEvent {
  readonly kind: 'group-refused';
  readonly group: AccountAddress;
  /** Who sent it, who need not have made it. */
  readonly from: AccountAddress;
  readonly device: DeviceId;
  /** docs/spec/groups.md section 6. */
  readonly code: string;
  readonly part: 'message' | 'event';
  /** Of the message. */
  readonly id?: string;
}

/**
 * A member has signed two different events under one number: it tells members different things, or two of its devices acted at once. Both
 * count, for everybody alike.
 */
export interface GroupForkEvent {
  readonly kind: 'group-fork';
  readonly group: AccountAddress;
  readonly by: AccountAddress;
  readonly number: number;
}

/** A member of a group that a message is not for. Told once, until it gets one again. */
export interface MemberSkippedEvent {
  readonly kind: 'member-skipped';
  readonly id: string;
  readonly to: AccountAddress;
  readonly account: AccountAddress;
  readonly reason: 'account-gone' | 'account-key-differs' | 'other-domain';
  /** One sentence. */
  readonly text: string;
}

/** A message has been refused again and again for a reason that should pass. It stays in the outbox; told once. */
export interface SendWaitsEvent {
  readonly kind: 'send-waits';
  readonly id: string;
  readonly to: AccountAddress;
  readonly code: string;
  readonly text: string;
}

export type IncomingEvent =
  | IncomingMessage
  | GapEvent
  | CaughtUpEvent
  | UndecryptableEvent
  | SessionRestartedEvent
  | MessagesGoneEvent
  | SentAgainEvent
  | MessageRefusedEvent
  | IdentityChangeEvent
  | AccountResetEvent
  | DirectoryKeyChangeEvent
  | DevicesChangedEvent
  | ContactsChangedEvent
  | ContactsAlarmEvent
  | ContactRequestEvent
  | DirectoryKeysEvent
  | SendFailedEvent
  | LeftOutEvent
  | HoleEvent
  | LateEvent
  | ForkEvent
  | NotArrivedEvent
  | DeviceSkippedEvent
  | SendWaitsEvent
  | ReceiptEvent
  | DisplayedElsewhereEvent
  | MessageEditedEvent
  | MessageDeletedEvent
  | ReactionEvent
  | ChangeRefusedEvent
  | GroupChangedEvent
  | GroupInvitedEvent
  | GroupRefusedEvent
  | GroupForkEvent
  | MemberSkippedEvent
  | ParkedEvent;

/** A parked event under its id. */
export interface SetAside {
  readonly id: string;
  readonly event: Exclude<IncomingEvent, CaughtUpEvent | ParkedEvent>;
}

/** A device has confirmed messages of ours (docs/spec/chain.md section 4). */
export interface Arrival {
  readonly to: AccountAddress;
  readonly device: DeviceId;
  /** As `OutgoingMessage.id`. */
  readonly ids: readonly string[];
}

/** A message that these devices have not confirmed. Devices that send no receipts stay here. */
export interface Unconfirmed {
  readonly id: string;
  readonly devices: readonly DeviceId[];
}

/** Messages of a device that could not be read and have not come again. */
export interface Unread {
  readonly device: DeviceId;
  readonly messages: number;
}

export interface OutgoingMessage {
  /** base64url; the recipients see the same. */
  readonly id: string;
  /** Resolves when the server holds the message durably; rejects with a `ClientError` when it never will. */
  readonly accepted: Promise<Acceptance>;
}

export interface Acceptance {
  /** Devices that do not get the message, because their mailboxes are full. */
  readonly leftOut: readonly DeviceId[];
}

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

export type ConnectionState = 'offline' | 'connecting' | 'online' | 'stopped';
