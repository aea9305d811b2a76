/**
 * The hot frames of `proto/relay.proto`, written and read by hand: Send, Accepted and Deliver pass
 * once a message, Ack nearly. A switch on numbers into local variables allocates nothing but the
 * frame; a table of fields (`protobuf/fields.ts`), which is shorter, has an indirect call for each
 * field. Limits are checked before anything is made from the field they bound.
 */
import { type DeviceIdCache, readDeviceId } from './device-id-cache.ts';
import type { Accepted, Ack, Deliver, Part, Send } from './frames.ts';
import type { DeviceId, MessageId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { checkParts, checkPayload, checkPayloads, readPayload } from './payload.ts';
import { readMessageId } from './protobuf/fields.ts';
import type { Reader } from './protobuf/reader.ts';
import { Writer } from './protobuf/writer.ts';
import { WireError } from './wire-error.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_PARTS: Part[] = [];

export function encodeSend(frame: Send): Uint8Array<ArrayBuffer> {
  if (frame.parts.length > LIMITS.partsPerFrame.value) throw tooMany('parts');
  checkPayloads(frame.body, frame.parts);
  const writer = new Writer(sizeHintOf(frame)).bytes(1, frame.id).bytes(2, frame.body);
  for (const part of frame.parts) writer.message(3, () => writer.text(1, part.device).bytes(2, part.content));
  return writer.bool(4, frame.allDevices).bool(5, frame.ownElsewhere).finishAs(2);
}

export function readSend(reader: Reader, deviceIds?: DeviceIdCache): Send {
  let id: MessageId | undefined;
  let body = NO_BYTES;
  let parts: Part[] = NO_PARTS;
  let allDevices = false;
  let ownElsewhere = false;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        id = readMessageId(reader);
        break;
      case 2:
        body = readPayload(reader);
        break;
      case 3:
        parts = readPart(reader, parts, deviceIds);
        break;
      case 4:
        allDevices = reader.bool();
        break;
      case 5:
        ownElsewhere = reader.bool();
        break;
      default:
        reader.skip();
    }
  }
  checkParts(reader, body, parts);
  return { kind: 'send', id: id ?? reader.fail('no message id'), body, parts, allDevices, ownElsewhere };
}

/** `parts` and one more. */
function readPart(reader: Reader, parts: Part[], deviceIds?: DeviceIdCache): Part[] {
  if (parts.length >= LIMITS.partsPerFrame.value) reader.fail(`more than ${LIMITS.partsPerFrame.value} parts`);
  let device: DeviceId | undefined;
  let content = NO_BYTES;
  const outer = reader.enter();
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        device = readDeviceId(reader, deviceIds);
        break;
      case 2:
        content = readPayload(reader);
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  const part = { device: device ?? reader.fail('a part without a device'), content };
  // Nearly all messages have one: a list that grows has room for seventeen.
  if (parts.length === 0) return [part];
  parts.push(part);
  return parts;
}

export function encodeAck(frame: Ack): Uint8Array<ArrayBuffer> {
  return new Writer(16).uint(1, frame.upTo).finishAs(3);
}

export function readAck(reader: Reader): Ack {
  let upTo = 0;
  while (!reader.done) {
    if (reader.field() === 1) upTo = reader.uint();
    else reader.skip();
  }
  return { kind: 'ack', upTo };
}

/** At most `LIMITS.acksPerFrame` ids a frame; `limit-reached` else. */
export function encodeAccepted(ids: readonly MessageId[]): Uint8Array<ArrayBuffer> {
  if (ids.length > LIMITS.acksPerFrame.value) throw tooMany('message ids');
  const writer = new Writer(ids.length * 18);
  for (const id of ids) writer.element(1, id);
  return writer.finishAs(2);
}

export function readAccepted(reader: Reader): Accepted {
  const ids: MessageId[] = [];
  while (!reader.done) {
    if (reader.field() !== 1) {
      reader.skip();
      continue;
    }
    if (ids.length >= LIMITS.acksPerFrame.value) reader.fail(`more than ${LIMITS.acksPerFrame.value} message ids`);
    ids.push(readMessageId(reader));
  }
  return { kind: 'accepted', ids };
}

/** Body before content: what a mailbox holds (section 3.4). */
export function encodeWholeDeliver(frame: Deliver): Uint8Array<ArrayBuffer> {
  return new Writer(frame.sender.length + frame.body.length + frame.content.length + 64)
    .uint(1, frame.seq)
    .text(2, frame.sender)
    .bytes(3, frame.id)
    .uint(4, frame.acceptedAt)
    .element(6, frame.body)
    .element(5, frame.content)
    .finishAs(4);
}

export function readDeliver(reader: Reader, deviceIds?: DeviceIdCache): Deliver {
  let seq = 0;
  let sender: DeviceId | undefined;
  let id: MessageId | undefined;
  let acceptedAt = 0;
  let content = NO_BYTES;
  let body = NO_BYTES;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        seq = reader.uint();
        break;
      case 2:
        sender = readDeviceId(reader, deviceIds);
        break;
      case 3:
        id = readMessageId(reader);
        break;
      case 4:
        acceptedAt = reader.uint();
        break;
      case 5:
        content = readPayload(reader);
        break;
      case 6:
        body = readPayload(reader);
        break;
      default:
        reader.skip();
    }
  }
  checkPayload(body.length, content.length);
  return {
    kind: 'deliver',
    seq,
    sender: sender ?? reader.fail('no sender'),
    id: id ?? reader.fail('no message id'),
    acceptedAt,
    content,
    body,
  };
}

function sizeHintOf({ body, parts }: Send): number {
  return parts.reduce((sum, { device, content }) => sum + device.length + content.length + 12, body.length + 32);
}

function tooMany(what: string): WireError {
  return new WireError('limit-reached', `too many ${what} for one frame`);
}
