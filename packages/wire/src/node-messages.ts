/**
 * What nodes tell each other on the bus: `proto/node.proto`. Wake-up calls, never the truth: a
 * receiver drops what it cannot decode and counts it, and whatever is lost is made good by the
 * mailbox and the store. Byte fields are views.
 */
import type { DeviceIdCache } from './device-id-cache.ts';
import { PRESENCE_STATES } from './frames.ts';
import { LIMITS } from './limits.ts';
import {
  address,
  bool,
  bytes,
  choice,
  deviceId,
  list,
  message,
  Oneof,
  parsed,
  uint,
  type VariantOf,
} from './protobuf/fields.ts';
import { Reader } from './protobuf/reader.ts';
import { WireError } from './wire-error.ts';

/** All nodes listen here. */
export const NODES_CHANNEL = 'sealwire.nodes';

const NODE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** 1 to 64 of A-Z, a-z, 0-9, `_`, `-`: part of a channel name. Throws `bad-node-id`. */
export function parseNodeId(text: string): string {
  if (!NODE_ID.test(text)) throw new WireError('bad-node-id', 'a node id is 1 to 64 of A-Z, a-z, 0-9, "_" and "-"');
  return text;
}

/** One node listens here. */
export function nodeChannel(node: string): string {
  return `sealwire.node.${parseNodeId(node)}`;
}

const node = (number: number) => parsed(number, parseNodeId, 64);
const PEERS = LIMITS.presencePeers.value;
/** Of two sessions of a device, the one with the larger number is the newer. */
const sessions = (number: number) =>
  list(message(number, { device: deviceId(1), session: uint(2) }), LIMITS.partsPerFrame.value);

export const NODE_MESSAGES = new Oneof({
  /** Close its sockets. */
  'device-removed': message(1, { device: deviceId(1) }),
  /** Forget what you know of this account's devices; those listed hear of the manifest `version`, 0: none. */
  'devices-changed': message(2, {
    address: address(1),
    version: uint(2),
    devices: list(deviceId(3), LIMITS.devicesPerAccount.value),
  }),
  /** These devices are there now; older sessions of theirs end. */
  'sessions-opened': message(3, { node: node(1), sessions: sessions(2) }),
  'sessions-closed': message(4, { node: node(1), sessions: sessions(2) }),
  /** A node that starts asks all; each answers it with its sessions, as `sessions-opened`. */
  'who-is-there': message(5, { node: node(1) }),
  /** These mailboxes have news. */
  wake: message(6, { devices: list(deviceId(1), LIMITS.partsPerFrame.value) }),
  /** Hand this encoded `ServerFrame` to that device, now or never. */
  ephemeral: message(7, { device: deviceId(1), frame: bytes(2, LIMITS.frameBytes.value) }),
  /** To all, now and then. `run`: of the process; `since`: when it started; `at`: its clock, both ms. */
  here: message(8, { node: node(1), run: bytes(2, 8), since: uint(3), at: uint(4) }),
  /** Forget who may write to this account; those listed hear of its contact list `version`, 0: it is as it was. */
  'contacts-changed': message(9, {
    address: address(1),
    version: uint(2),
    devices: list(deviceId(3), LIMITS.devicesPerAccount.value),
  }),
  /** These accounts show themselves at `node`, each to these peers (docs/spec/presence.md). */
  presence: message(12, {
    node: node(1),
    asks: bool(2),
    shown: list(
      message(3, { account: address(1), state: choice(2, PRESENCE_STATES), peers: list(address(3), PEERS) }),
      PEERS,
    ),
  }),
  /** All that is true at `node` was said since its last one. */
  'presence-round': message(13, { node: node(1), leaves: bool(2) }),
  /** Close the sockets of all its devices: they find out why when they log in. */
  'account-disabled': message(20, { address: address(1) }),
  /** Read the notices of the operator anew, and tell them. */
  'notices-changed': message(21, {}),
});

export type NodeMessage = VariantOf<typeof NODE_MESSAGES>;
export type NodePresence = Extract<NodeMessage, { kind: 'presence' }>;

/** Throws `limit-reached` for a list that is too long. */
export function encodeNodeMessage(message: NodeMessage): Uint8Array<ArrayBuffer> {
  return NODE_MESSAGES.encode(message);
}

/**
 * Throws `WireError` `bad-node-message`: also for a message of a newer version, which this node can
 * only drop too.
 */
export function decodeNodeMessage(bytes: Uint8Array, deviceIds?: DeviceIdCache): NodeMessage {
  const reader = new Reader(bytes, 'bad-node-message');
  return NODE_MESSAGES.read(reader, deviceIds) ?? reader.fail('empty, or a message of another version');
}
