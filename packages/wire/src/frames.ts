/**
 * The frames of `proto/relay.proto` as types. `frame-codec.ts` encodes and decodes them.
 * Byte fields of a decoded frame are views into the input: copy what must outlive it.
 */
import type { ErrorCode } from './errors.ts';
import type { DeviceId, MessageId } from './ids.ts';

export const SUBPROTOCOL = 'sealwire.v1';

/** `replica` only receives, `contact` only sends: the two lanes of "A Secure Instant Messenger", on one socket or on two. */
export type Lane = 'both' | 'replica' | 'contact';

export interface Part {
  readonly device: DeviceId;
  readonly content: Uint8Array;
}

export interface Hello {
  readonly kind: 'hello';
  readonly token: string;
  readonly lane: Lane;
  readonly client: string;
}
export interface Send {
  readonly kind: 'send';
  readonly id: MessageId;
  readonly body: Uint8Array;
  readonly parts: readonly Part[];
  readonly allDevices: boolean;
}
export interface Ack {
  readonly kind: 'ack';
  /** All up to and including this one; 0: none. */
  readonly upTo: number;
}
export interface Ephemeral {
  readonly kind: 'ephemeral';
  readonly body: Uint8Array;
  readonly parts: readonly Part[];
}
export interface Ping {
  readonly kind: 'ping';
  readonly nonce: number;
}
export interface Renew {
  readonly kind: 'renew';
  readonly token: string;
}
export type ClientFrame = Hello | Send | Ack | Ephemeral | Ping | Renew;

export interface Welcome {
  readonly kind: 'welcome';
  readonly device: DeviceId;
  readonly serverTime: number;
  readonly expiresAt: number;
  readonly window: number;
}
export interface Accepted {
  readonly kind: 'accepted';
  readonly ids: readonly MessageId[];
}
export interface Rejected {
  readonly kind: 'rejected';
  readonly id: MessageId;
  /** An `ErrorCode`; a newer server may send one that this version does not know. */
  readonly code: ErrorCode | (string & {});
  readonly text: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number;
  readonly missing: readonly DeviceId[];
  readonly extra: readonly DeviceId[];
}
export interface Deliver {
  readonly kind: 'deliver';
  readonly seq: number;
  readonly sender: DeviceId;
  readonly id: MessageId;
  readonly acceptedAt: number;
  readonly content: Uint8Array;
  readonly body: Uint8Array;
}
export interface EphemeralDeliver {
  readonly kind: 'ephemeral-deliver';
  readonly sender: DeviceId;
  readonly sentAt: number;
  readonly content: Uint8Array;
  readonly body: Uint8Array;
}
export interface CaughtUp {
  readonly kind: 'caught-up';
  readonly lastSeq: number;
}
export interface Gap {
  readonly kind: 'gap';
  readonly count: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly reason: 'expired' | 'trimmed';
}
export interface Pong {
  readonly kind: 'pong';
  readonly nonce: number;
}
export interface Renewed {
  readonly kind: 'renewed';
  readonly expiresAt: number;
}
export interface ErrorFrame {
  readonly kind: 'error';
  readonly code: ErrorCode | (string & {});
  readonly text: string;
}
export type ServerFrame =
  | Welcome
  | Accepted
  | Rejected
  | Deliver
  | EphemeralDeliver
  | CaughtUp
  | Gap
  | Pong
  | Renewed
  | ErrorFrame;
