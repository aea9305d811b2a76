/**
 * Bytes of the relay's frames: `proto/relay.proto`, docs/spec/relay-protocol.md section 3. One frame
 * is one binary WebSocket message.
 *
 * Decoding throws nothing but `WireError`: `unknown-frame` (well formed, but of a newer version: the
 * socket may live on), `payload-too-large`, or `bad-frame`. Every limit is checked before anything
 * is made from the field it bounds. A Deliver frame is put together from the bytes in the mailbox:
 * `writeDeliverHead`.
 */
import type { DeviceIdCache } from './device-id-cache.ts';
import { CLIENT_FRAMES, type ClientFrame, SERVER_FRAMES, type ServerFrame } from './frames.ts';
import {
  encodeAccepted,
  encodeAck,
  encodeSend,
  encodeWholeDeliver,
  readAccepted,
  readAck,
  readDeliver,
  readSend,
} from './hot-frames.ts';
import type { DeviceId, MessageId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { checkPayloads } from './payload.ts';
import { Reader } from './protobuf/reader.ts';
import { headOf, sizeOfHead, sizeOfUint, Writer, writeUint } from './protobuf/writer.ts';
import { WireError } from './wire-error.ts';

export { encodeAccepted };

/** For a recipient for whom the body is all. */
const NO_CONTENT = headOf(5, 0);

/** Throws `payload-too-large` or `limit-reached` for what the relay would refuse. */
export function encodeClientFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  if (frame.kind === 'send') return encodeSend(frame);
  if (frame.kind === 'ack') return encodeAck(frame);
  if (frame.kind === 'ephemeral') checkPayloads(frame.body, frame.parts);
  return CLIENT_FRAMES.encode(frame);
}

/** `deviceIds`: a cache that the caller keeps, as the relay does; else each id is checked anew. */
export function decodeClientFrame(input: Uint8Array, deviceIds?: DeviceIdCache): ClientFrame {
  const frame = CLIENT_FRAMES.read(readerOf(input), deviceIds, readHotClientFrame);
  return frame ?? refuseUnknown(input);
}

function readHotClientFrame(reader: Reader, field: number, deviceIds?: DeviceIdCache) {
  if (field === 2) return readSend(reader, deviceIds);
  return field === 3 ? readAck(reader) : undefined;
}

/** What a server says about an error is cut where it is too long (section 3.5). */
export function encodeServerFrame(frame: ServerFrame): Uint8Array<ArrayBuffer> {
  if (frame.kind === 'deliver') return encodeWholeDeliver(frame);
  if (frame.kind === 'accepted') return encodeAccepted(frame.ids);
  return SERVER_FRAMES.encode(frame);
}

export function decodeServerFrame(input: Uint8Array, deviceIds?: DeviceIdCache): ServerFrame {
  const frame = SERVER_FRAMES.read(readerOf(input), deviceIds, readHotServerFrame);
  return frame ?? refuseUnknown(input);
}

function readHotServerFrame(reader: Reader, field: number, deviceIds?: DeviceIdCache) {
  if (field === 2) return readAccepted(reader);
  return field === 4 ? readDeliver(reader, deviceIds) : undefined;
}

function readerOf(input: Uint8Array): Reader {
  const { value } = LIMITS.frameBytes;
  if (input.length > value) throw new WireError('payload-too-large', `a frame has at most ${value} bytes`);
  return new Reader(input, 'bad-frame');
}

/** `input` is well formed and has no frame that is known here. */
function refuseUnknown(input: Uint8Array): never {
  if (input.length === 0) throw new WireError('bad-frame', 'empty frame');
  throw new WireError('unknown-frame', 'a frame of another version');
}

/** What all recipients of a message have in common. */
export interface MailShared {
  readonly sender: DeviceId;
  readonly id: MessageId;
  readonly acceptedAt: number;
  readonly body: Uint8Array;
}

/**
 * A message as a mailbox keeps it: a `Deliver` without its `seq`, which only the store can know. The mail is the concatenation of the
 * pieces that this answers, the same for all recipients, and of those of `encodeMailOwn`. The body is not copied: memory for it, beside
 * what the socket's read brought, is what a busy relay would have most of.
 */
export function encodeMailShared({ sender, id, acceptedAt, body }: MailShared): [head: Uint8Array, body: Uint8Array] {
  const writer = new Writer(sender.length + 48).text(2, sender).bytes(3, id).uint(4, acceptedAt);
  return [writer.head(6, body.length).finish(), body];
}

/** What follows for one recipient. The content is not copied. */
export function encodeMailOwn(content: Uint8Array): Uint8Array[] {
  return content.length === 0 ? [NO_CONTENT] : [headOf(5, content.length), content];
}

/** A Deliver frame from the pieces of a mail, or from a stored mail as the only piece. */
export function encodeDeliver(seq: number, pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const mailLength = lengthOf(pieces);
  const headLength = deliverHeadBytes(seq, mailLength);
  const frame = joined(headLength, pieces);
  writeDeliverHead(frame, 0, seq, mailLength);
  return frame;
}

/** The pieces one after the other, from `start` on. */
function joined(start: number, pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(start + lengthOf(pieces));
  let at = start;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
}

/** How long `writeDeliverHead` is. */
export function deliverHeadBytes(seq: number, mailLength: number): number {
  const seqLength = 1 + sizeOfUint(seq);
  return sizeOfHead(4, seqLength + mailLength) + seqLength;
}

/**
 * Writes at `at` what stands in front of a stored mail of `mailLength` bytes in its Deliver frame: tag and length of the frame in its oneof,
 * then `seq`, the one field that the stored mail lacks. Answers where it ends.
 */
export function writeDeliverHead(into: Uint8Array, at: number, seq: number, mailLength: number): number {
  const seqLength = 1 + sizeOfUint(seq);
  const start = writeUint(into, writeUint(into, at, (4 << 3) | 2), seqLength + mailLength);
  return writeUint(into, writeUint(into, start, (1 << 3) | 0), seq);
}
