/** Messages, what changes them, and what readers say of them (docs/spec/messages.md sections 6 and 7). */
import type { Reply } from '@sealwire/cpim/chat-message';
import type { Disposition } from '@sealwire/cpim/imdn';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Trust } from './people.ts';

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
 * A device has got messages of ours (`delivered`), or shown them to its user, who lets it be told (`displayed`); or a LIME device of somebody
 * else says that it could not take them (`not-delivered`). Only what this device asked about: docs/spec/messages.md section 7.
 */
export type ReceiptEvent = { [K in ReceiptKind]: ReceiptOf<K> }[ReceiptKind];
export type ReceiptKind = 'delivered' | 'displayed' | 'not-delivered';

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
