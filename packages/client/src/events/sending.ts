/** What becomes of messages of ours (docs/spec/client.md section 5, docs/spec/chain.md section 4). */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';

export interface OutgoingMessage {
  /** base64url; the recipients see the same. */
  readonly id: string;
  /** Resolves when the server holds the message durably; rejects with a `ClientError` when it never will. */
  readonly accepted: Promise<Acceptance>;
}

export interface Acceptance {
  /** Devices that do not get the message, because their mailboxes are full. */
  readonly leftOut: readonly DeviceId[];
  /** Devices that do not get it, because policy keeps them out and the choice was to leave them out (`SendOptions.onKeptOut`). */
  readonly keptOut: readonly DeviceId[];
}

/** A message queued by an earlier process can never be sent. (One queued by this process rejects its `accepted` instead.) */
export interface SendFailedEvent {
  readonly kind: 'send-failed';
  readonly id: string;
  readonly to: AccountAddress;
  readonly code: string;
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
 * A device that its account's signed list names did not get a message: policy keeps it out (`SendOptions.onKeptOut`), or for a reason that
 * only the server could know, of which the first three may be a lie. Told once for each device and reason, until it gets one again.
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

export type SkippedReason = 'said-gone' | 'no-keys' | 'bad-keys' | 'no-common-suite' | KeptOutReason;

/** Policy, not the server: docs/spec/verification.md section 6. */
export type KeptOutReason = 'unsafe' | 'untrusted' | 'uncertified';

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

/** The server accepted messages of ours for a device, which has a later one and not these. */
export interface NotArrivedEvent {
  readonly kind: 'not-arrived';
  readonly to: AccountAddress;
  readonly device: DeviceId;
  /** As `OutgoingMessage.id`. */
  readonly ids: readonly string[];
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
