/**
 * What nodes tell each other on the bus: `proto/node.proto`. Wake-up calls, never the truth: a receiver drops what it cannot decode
 * and counts it, and whatever is lost is made good by the mailbox and the store. Byte fields are views.
 */
import { type DeviceIdCache, readDeviceId } from './device-id-cache.ts';
import { type AccountAddress, type DeviceId, parseAccountAddress } from './ids.ts';
import { LIMITS } from './limits.ts';
import { Reader } from './protobuf-reader.ts';
import { Writer } from './protobuf-writer.ts';
import { WireError } from './wire-error.ts';

/** Of two sessions of a device, the one with the larger number is the newer. */
export interface DeviceSession {
  readonly device: DeviceId;
  readonly session: number;
}

/** Sessions on a node. At most `LIMITS.partsPerFrame`. */
export interface NodeSessions {
  readonly node: string;
  readonly sessions: readonly DeviceSession[];
}

export type NodeMessage =
  /** Close its sockets. */
  | { readonly kind: 'device-removed'; readonly device: DeviceId }
  /** Forget what you know of this account's devices. */
  | { readonly kind: 'devices-changed'; readonly address: AccountAddress }
  /** These devices are there now; older sessions of theirs end. */
  | ({ readonly kind: 'sessions-opened' } & NodeSessions)
  | ({ readonly kind: 'sessions-closed' } & NodeSessions)
  /** A node that starts asks all; each answers it with its sessions, as `sessions-opened`. */
  | { readonly kind: 'who-is-there'; readonly node: string }
  /** These mailboxes have news. At most `LIMITS.partsPerFrame`. */
  | { readonly kind: 'wake'; readonly devices: readonly DeviceId[] }
  /** Hand this encoded `ServerFrame` to that device, now or never. */
  | { readonly kind: 'ephemeral'; readonly device: DeviceId; readonly frame: Uint8Array };

/** All nodes listen here. */
export const NODES_CHANNEL = 'sealwire.nodes';

const NODE_ID_BYTES = 64;
const NO_BYTES: Uint8Array = new Uint8Array(0);
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

export function encodeNodeMessage(message: NodeMessage): Uint8Array<ArrayBuffer> {
  switch (message.kind) {
    case 'device-removed':
      return new Writer(260).text(1, message.device).finishAs(1);
    case 'devices-changed':
      return new Writer(260).text(1, message.address).finishAs(2);
    case 'sessions-opened':
      return writeSessions(message).finishAs(3);
    case 'sessions-closed':
      return writeSessions(message).finishAs(4);
    case 'who-is-there':
      return new Writer(80).text(1, parseNodeId(message.node)).finishAs(5);
    case 'wake': {
      checkCount(message.devices);
      const writer = new Writer(message.devices.length * 80);
      for (const device of message.devices) writer.text(1, device);
      return writer.finishAs(6);
    }
    case 'ephemeral':
      return new Writer(message.frame.length + 280).text(1, message.device).bytes(2, message.frame).finishAs(7);
  }
}

/** Throws `WireError` `bad-node-message`: also for a message of a newer version, which this node can only drop too. */
export function decodeNodeMessage(bytes: Uint8Array, deviceIds?: DeviceIdCache): NodeMessage {
  const reader = new Reader(bytes, 'bad-node-message');
  let message: NodeMessage | undefined;
  while (!reader.done) {
    const field = reader.field();
    const outer = reader.enter();
    message = readMessage(reader, field, deviceIds) ?? message;
    reader.leave(outer);
  }
  return message ?? reader.fail('empty, or a message of another version');
}

function readMessage(reader: Reader, field: number, deviceIds?: DeviceIdCache): NodeMessage | undefined {
  switch (field) {
    case 1:
      return { kind: 'device-removed', device: readDevice(reader, deviceIds) };
    case 2:
      return { kind: 'devices-changed', address: readAddress(reader) };
    case 3:
      return { kind: 'sessions-opened', ...readSessions(reader, deviceIds) };
    case 4:
      return { kind: 'sessions-closed', ...readSessions(reader, deviceIds) };
    case 5:
      return { kind: 'who-is-there', node: readNode(reader) };
    case 6:
      return { kind: 'wake', devices: readDevices(reader, deviceIds) };
    case 7:
      return readEphemeral(reader, deviceIds);
    default:
      return undefined;
  }
}

function readDevice(reader: Reader, deviceIds?: DeviceIdCache): DeviceId {
  let device: DeviceId | undefined;
  while (!reader.done) {
    if (reader.field() === 1) device = readDeviceId(reader, deviceIds);
    else reader.skip();
  }
  return device ?? reader.fail('no device');
}

function readAddress(reader: Reader): AccountAddress {
  let address: AccountAddress | undefined;
  while (!reader.done) {
    if (reader.field() === 1) address = reader.parsed(parseAccountAddress, LIMITS.deviceIdBytes.value);
    else reader.skip();
  }
  return address ?? reader.fail('no address');
}

function readNode(reader: Reader): string {
  let node: string | undefined;
  while (!reader.done) {
    if (reader.field() === 1) node = reader.parsed(parseNodeId, NODE_ID_BYTES);
    else reader.skip();
  }
  return node ?? reader.fail('no node');
}

function readDevices(reader: Reader, deviceIds?: DeviceIdCache): DeviceId[] {
  const devices: DeviceId[] = [];
  while (!reader.done) {
    if (reader.field() !== 1) {
      reader.skip();
      continue;
    }
    if (devices.length >= LIMITS.partsPerFrame.value) reader.fail('too many devices');
    devices.push(readDeviceId(reader, deviceIds));
  }
  return devices;
}

function readSessions(reader: Reader, deviceIds?: DeviceIdCache): NodeSessions {
  let node: string | undefined;
  const sessions: DeviceSession[] = [];
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        node = reader.parsed(parseNodeId, NODE_ID_BYTES);
        break;
      case 2: {
        if (sessions.length >= LIMITS.partsPerFrame.value) reader.fail('too many sessions');
        const outer = reader.enter();
        sessions.push(readSession(reader, deviceIds));
        reader.leave(outer);
        break;
      }
      default:
        reader.skip();
    }
  }
  return { node: node ?? reader.fail('no node'), sessions };
}

function readSession(reader: Reader, deviceIds?: DeviceIdCache): DeviceSession {
  let device: DeviceId | undefined;
  let session = 0;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        device = readDeviceId(reader, deviceIds);
        break;
      case 2:
        session = reader.uint();
        break;
      default:
        reader.skip();
    }
  }
  return { device: device ?? reader.fail('no device'), session };
}

function readEphemeral(reader: Reader, deviceIds?: DeviceIdCache): NodeMessage {
  let device: DeviceId | undefined;
  let frame = NO_BYTES;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        device = readDeviceId(reader, deviceIds);
        break;
      case 2:
        frame = reader.bytes(LIMITS.frameBytes.value);
        break;
      default:
        reader.skip();
    }
  }
  return { kind: 'ephemeral', device: device ?? reader.fail('no device'), frame };
}

function writeSessions({ node, sessions }: NodeSessions): Writer {
  checkCount(sessions);
  const writer = new Writer(80 + sessions.length * 100).text(1, parseNodeId(node));
  for (const { device, session } of sessions) writer.message(2, () => writer.text(1, device).uint(2, session));
  return writer;
}

function checkCount(list: readonly unknown[]): void {
  if (list.length > LIMITS.partsPerFrame.value)
    throw new WireError('limit-reached', `${LIMITS.partsPerFrame.value} devices a message at the most: send several`);
}
