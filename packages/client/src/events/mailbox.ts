/** What did not arrive as it was sent, or cannot be read: gaps, holes, broken sessions (docs/spec/chain.md, docs/spec/healing.md). */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';

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

/** Messages of a device that could not be read and have not come again. */
export interface Unread {
  readonly device: DeviceId;
  readonly messages: number;
}
