/**
 * The frames of `proto/relay.proto`, docs/spec/relay-protocol.md section 3: types of the four hot
 * ones, tables of all others. `frame-codec.ts` encodes and decodes them. Byte fields of a decoded
 * frame are views into the input: copy what must outlive it.
 */
import type { ErrorCode } from './errors.ts';
import type { DeviceId, MessageId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { checkParts, checkPayload, payload } from './payload.ts';
import {
  address,
  bool,
  choice,
  cutText,
  deviceId,
  list,
  message,
  messageId,
  Oneof,
  text,
  uint,
  type VariantOf,
} from './protobuf/fields.ts';

export const SUBPROTOCOL = 'sealwire.v1';

/** How an account appears to another one. */
export const PRESENCE_STATES = ['offline', 'online', 'away'] as const;
export type PresenceState = (typeof PRESENCE_STATES)[number];

export interface Part {
  readonly device: DeviceId;
  readonly content: Uint8Array;
}

export interface Send {
  readonly kind: 'send';
  readonly id: MessageId;
  readonly body: Uint8Array;
  readonly parts: readonly Part[];
  readonly allDevices: boolean;
  /** With `allDevices`: of the named accounts alone, since another frame of the message is for the sender's other devices. */
  readonly ownElsewhere: boolean;
}

export interface Ack {
  readonly kind: 'ack';
  /** All up to and including this one; 0: none. */
  readonly upTo: number;
}

export interface Accepted {
  readonly kind: 'accepted';
  readonly ids: readonly MessageId[];
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

export const CLIENT_FRAMES = new Oneof({
  hello: message(1, {
    token: text(1, LIMITS.tokenBytes.value),
    /**
     * `replica` only receives, `contact` only sends: the two lanes of "A Secure Instant Messenger",
     * on one socket or on two.
     */
    lane: choice(2, ['both', 'replica', 'contact']),
    client: text(3, LIMITS.clientNameBytes.value),
  }),
  ephemeral: message(
    4,
    {
      body: payload(1),
      parts: list(message(2, { device: deviceId(1), content: payload(2) }), LIMITS.partsPerFrame.value),
    },
    { check: ({ body, parts }, reader) => checkParts(reader, body, parts) },
  ),
  ping: message(5, { nonce: uint(1) }),
  renew: message(6, { token: text(1, LIMITS.tokenBytes.value) }),
  /** In place of the one before: to whom this device shows itself (docs/spec/presence.md). */
  show: message(9, { accounts: list(address(1), LIMITS.presencePeers.value), away: bool(2) }),
  appear: message(10, { away: bool(1) }),
});

/** Of the error table; a newer server may send one that this version does not know. */
const code = (number: number) => text<ErrorCode | (string & {})>(number, LIMITS.errorCodeBytes.value);
/** What a server says about an error must not itself fail: it is cut (section 3.5). */
const errorText = (number: number) => cutText(number, LIMITS.errorTextBytes.value);
const errorDevices = (number: number) => list(deviceId(number), LIMITS.mismatchDevices.value, 'cut');

export const SERVER_FRAMES = new Oneof({
  welcome: message(1, { device: deviceId(1), serverTime: uint(2), expiresAt: uint(3), window: uint(4, 'uint32') }),
  rejected: message(3, {
    id: messageId(1),
    code: code(2),
    text: errorText(3),
    retryable: bool(4),
    retryAfterMs: uint(5),
    missing: errorDevices(6),
    extra: errorDevices(7),
    full: errorDevices(8),
  }),
  'ephemeral-deliver': message(
    5,
    { sender: deviceId(1), sentAt: uint(2), content: payload(3), body: payload(4) },
    { check: ({ body, content }) => checkPayload(body.length, content.length) },
  ),
  'caught-up': message(6, { lastSeq: uint(1) }),
  gap: message(7, {
    count: uint(1),
    fromSeq: uint(2),
    toSeq: uint(3),
    reason: choice(4, ['expired', 'trimmed', 'damaged']),
  }),
  pong: message(8, { nonce: uint(1) }),
  renewed: message(9, { expiresAt: uint(1) }),
  error: message(10, { code: code(1), text: errorText(2) }),
  /** Before the `accepted` that names the id. */
  'left-out': message(11, { id: messageId(1), code: code(2), devices: errorDevices(3) }),
  /** Of the account of the device that is told: a hint, the manifest itself is the directory's. */
  'manifest-published': message(12, { version: uint(1) }),
  /** Of the same account: a hint, the list itself is the API's. */
  'contacts-published': message(13, { version: uint(1) }),
  /** What has changed since the last one. */
  presence: message(14, {
    peers: list(message(1, { account: address(1), state: choice(2, PRESENCE_STATES) }), LIMITS.presencePeers.value),
  }),
  /** Of whoever runs the server, to all: of no account. */
  'server-notice': message(20, {
    id: text(1, 64),
    text: text(2, LIMITS.noticeBytes.value),
    at: uint(3),
    until: uint(4),
  }),
});

export type ClientFrame = Send | Ack | VariantOf<typeof CLIENT_FRAMES>;
export type ServerFrame = Accepted | Deliver | VariantOf<typeof SERVER_FRAMES>;

export type Hello = Extract<ClientFrame, { kind: 'hello' }>;
export type Lane = Hello['lane'];
export type Ephemeral = Extract<ClientFrame, { kind: 'ephemeral' }>;
export type Show = Extract<ClientFrame, { kind: 'show' }>;
export type ServerNotice = Extract<ServerFrame, { kind: 'server-notice' }>;
export type Presence = Extract<ServerFrame, { kind: 'presence' }>;
export type Welcome = Extract<ServerFrame, { kind: 'welcome' }>;
export type Rejected = Extract<ServerFrame, { kind: 'rejected' }>;
export type LeftOut = Extract<ServerFrame, { kind: 'left-out' }>;
export type CaughtUp = Extract<ServerFrame, { kind: 'caught-up' }>;
export type Gap = Extract<ServerFrame, { kind: 'gap' }>;
