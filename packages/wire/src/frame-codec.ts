/**
 * Bytes of the relay's frames: `proto/relay.proto`, docs/spec/relay-protocol.md section 3. One frame is one binary WebSocket message.
 *
 * Decoding throws nothing but `WireError`: `unknown-frame` (well formed, but of a newer version: the socket may live on),
 * `payload-too-large`, or `bad-frame`. Every limit is checked before anything is made from the field it bounds.
 * A Deliver frame is put together from the bytes in the mailbox: `writeDeliverHead`.
 */
import type { DeviceIdCache } from './device-id-cache.ts';
import {
  checkPayload,
  GAP_REASONS,
  LANES,
  readAccepted,
  readDeliver,
  readEphemeral,
  readEphemeralDeliver,
  readError,
  readGap,
  readHello,
  readRejected,
  readSend,
  readText,
  readUint,
  readWelcome,
} from './frame-readers.ts';
import type { ClientFrame, Ephemeral, Part, Send, ServerFrame } from './frames.ts';
import type { DeviceId, MessageId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { Reader } from './protobuf-reader.ts';
import { headOf, sizeOfHead, sizeOfUint, Writer, writeUint } from './protobuf-writer.ts';
import { WireError } from './wire-error.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);
/** For a recipient for whom the body is all. */
const NO_CONTENT = headOf(5, 0);

/** Throws `payload-too-large` or `limit-reached` for what the relay would refuse, so that it is found before it is sent. */
export function encodeClientFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  switch (frame.kind) {
    case 'hello':
      return new Writer(frame.token.length + 64)
        .text(1, frame.token)
        .uint(2, LANES.indexOf(frame.lane))
        .text(3, frame.client)
        .finishAs(1);
    case 'send':
      return writeParts(new Writer(sizeHintOf(frame)).bytes(1, frame.id), 2, frame)
        .bool(4, frame.allDevices)
        .finishAs(2);
    case 'ack':
      return new Writer(16).uint(1, frame.upTo).finishAs(3);
    case 'ephemeral':
      return writeParts(new Writer(sizeHintOf(frame)), 1, frame).finishAs(4);
    case 'ping':
      return new Writer(16).uint(1, frame.nonce).finishAs(5);
    case 'renew':
      return new Writer(frame.token.length + 16).text(1, frame.token).finishAs(6);
  }
}

/** `deviceIds`: a cache that the caller keeps (the relay does); without it each id is checked anew. */
export function decodeClientFrame(input: Uint8Array, deviceIds?: DeviceIdCache): ClientFrame {
  return readFrame(input, readClientFrame, deviceIds);
}

function readClientFrame(reader: Reader, field: number, deviceIds?: DeviceIdCache): ClientFrame | undefined {
  switch (field) {
    case 1:
      return readHello(reader);
    case 2:
      return readSend(reader, deviceIds);
    case 3:
      return { kind: 'ack', upTo: readUint(reader) };
    case 4:
      return readEphemeral(reader, deviceIds);
    case 5:
      return { kind: 'ping', nonce: readUint(reader) };
    case 6:
      return { kind: 'renew', token: readText(reader, LIMITS.tokenBytes.value) };
    default:
      return undefined;
  }
}

/** Texts beyond their limit are cut, device lists of a mismatch too (section 3.5): what a server says about an error must not itself fail. */
export function encodeServerFrame(frame: ServerFrame): Uint8Array<ArrayBuffer> {
  switch (frame.kind) {
    case 'welcome':
      return new Writer(320)
        .text(1, frame.device)
        .uint(2, frame.serverTime)
        .uint(3, frame.expiresAt)
        .uint(4, frame.window)
        .finishAs(1);
    case 'accepted':
      return encodeAccepted(frame.ids);
    case 'rejected': {
      const writer = new Writer(256)
        .bytes(1, frame.id)
        .text(2, frame.code)
        .text(3, clip(frame.text, LIMITS.errorTextBytes.value));
      writer.bool(4, frame.retryable).uint(5, frame.retryAfterMs);
      for (const device of frame.missing.slice(0, LIMITS.mismatchDevices.value)) writer.text(6, device);
      for (const device of frame.extra.slice(0, LIMITS.mismatchDevices.value)) writer.text(7, device);
      return writer.finishAs(3);
    }
    case 'deliver':
      return new Writer(frame.sender.length + frame.body.length + frame.content.length + 64)
        .uint(1, frame.seq)
        .text(2, frame.sender)
        .bytes(3, frame.id)
        .uint(4, frame.acceptedAt)
        .element(6, frame.body)
        .element(5, frame.content)
        .finishAs(4);
    case 'ephemeral-deliver':
      return new Writer(frame.body.length + frame.content.length + 320)
        .text(1, frame.sender)
        .uint(2, frame.sentAt)
        .bytes(3, frame.content)
        .bytes(4, frame.body)
        .finishAs(5);
    case 'caught-up':
      return new Writer(16).uint(1, frame.lastSeq).finishAs(6);
    case 'gap':
      return new Writer(48)
        .uint(1, frame.count)
        .uint(2, frame.fromSeq)
        .uint(3, frame.toSeq)
        .uint(4, GAP_REASONS.indexOf(frame.reason))
        .finishAs(7);
    case 'pong':
      return new Writer(16).uint(1, frame.nonce).finishAs(8);
    case 'renewed':
      return new Writer(16).uint(1, frame.expiresAt).finishAs(9);
    case 'error':
      return new Writer().text(1, frame.code).text(2, clip(frame.text, LIMITS.errorTextBytes.value)).finishAs(10);
  }
}

/** At most `LIMITS.acksPerFrame` ids a frame; `limit-reached` else. */
export function encodeAccepted(ids: readonly MessageId[]): Uint8Array<ArrayBuffer> {
  if (ids.length > LIMITS.acksPerFrame.value) throw tooMany('message ids');
  const writer = new Writer(ids.length * 18);
  for (const id of ids) writer.element(1, id);
  return writer.finishAs(2);
}

export function decodeServerFrame(input: Uint8Array, deviceIds?: DeviceIdCache): ServerFrame {
  return readFrame(input, readServerFrame, deviceIds);
}

function readServerFrame(reader: Reader, field: number, deviceIds?: DeviceIdCache): ServerFrame | undefined {
  switch (field) {
    case 1:
      return readWelcome(reader, deviceIds);
    case 2:
      return readAccepted(reader);
    case 3:
      return readRejected(reader, deviceIds);
    case 4:
      return readDeliver(reader, deviceIds);
    case 5:
      return readEphemeralDeliver(reader, deviceIds);
    case 6:
      return { kind: 'caught-up', lastSeq: readUint(reader) };
    case 7:
      return readGap(reader);
    case 8:
      return { kind: 'pong', nonce: readUint(reader) };
    case 9:
      return { kind: 'renewed', expiresAt: readUint(reader) };
    case 10:
      return readError(reader);
    default:
      return undefined;
  }
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
 * pieces that `encodeMailFor` answers; these two are the same for all recipients. The body is not copied: memory for it, beside what the
 * socket's read brought, is what a busy relay would have most of.
 */
export function encodeMailShared({ sender, id, acceptedAt, body }: MailShared): [head: Uint8Array, body: Uint8Array] {
  const writer = new Writer(sender.length + 48).text(2, sender).bytes(3, id).uint(4, acceptedAt);
  return [writer.head(6, body.length).finish(), body];
}

/** The mail for one recipient, in pieces: those of `encodeMailShared` and its own. The content is not copied. */
export function encodeMailFor([head, body]: readonly [Uint8Array, Uint8Array], content: Uint8Array): Uint8Array[] {
  return content.length === 0 ? [head, body, NO_CONTENT] : [head, body, headOf(5, content.length), content];
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

/**
 * The outermost oneof: the last frame wins, unknown ones are skipped. `read` answers undefined for a field it does not know.
 * The same frame twice in a row is refused: protobuf would merge the two, and nobody writes that.
 */
function readFrame<Frame>(
  input: Uint8Array,
  read: (reader: Reader, field: number, deviceIds?: DeviceIdCache) => Frame | undefined,
  deviceIds: DeviceIdCache | undefined,
): Frame {
  const { frameBytes } = LIMITS;
  if (input.length > frameBytes.value)
    throw new WireError('payload-too-large', `a frame has at most ${frameBytes.value} bytes`);
  const reader = new Reader(input, 'bad-frame');
  let frame: Frame | undefined;
  let last = 0;
  let newer = false;
  while (!reader.done) {
    const field = reader.field();
    const outer = reader.enter();
    const known = read(reader, field, deviceIds);
    reader.leave(outer);
    if (!known) {
      newer = true;
      continue;
    }
    if (field === last) reader.fail('a frame twice');
    last = field;
    frame = known;
  }
  if (frame) return frame;
  throw newer
    ? new WireError('unknown-frame', 'a frame of another version')
    : new WireError('bad-frame', 'empty frame');
}

function writeParts(writer: Writer, firstField: number, frame: Send | Ephemeral): Writer {
  if (frame.parts.length > LIMITS.partsPerFrame.value) throw tooMany('parts');
  checkPayload(frame.body, NO_BYTES);
  writer.bytes(firstField, frame.body);
  for (const part of frame.parts) {
    checkPayload(frame.body, part.content);
    writer.message(firstField + 1, () => writer.text(1, part.device).bytes(2, part.content));
  }
  return writer;
}

function sizeHintOf(frame: Send | Ephemeral): number {
  return frame.parts.reduce(
    (sum, part: Part) => sum + part.device.length + part.content.length + 12,
    frame.body.length + 32,
  );
}

/** At most `maximum` bytes of `text`, cut between characters. */
function clip(text: string, maximum: number): string {
  const room = new Uint8Array(maximum);
  const { read } = new TextEncoder().encodeInto(text, room);
  return read === text.length ? text : text.slice(0, read);
}

function tooMany(what: string): WireError {
  return new WireError('limit-reached', `too many ${what} for one frame`);
}
