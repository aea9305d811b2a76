/**
 * The fields of each frame, read: proto/relay.proto, one function a message. `frame-codec.ts` calls them with the reader inside the
 * message. A repeated scalar field: the last wins. Limits are checked before anything is made from the field.
 *
 * Each loop over the fields is written out: this code meets every byte that a stranger sends, and a switch on numbers into local variables
 * allocates nothing but the frame. A table of field readers would be shorter, with an indirect call and a half-made frame for each field.
 */
import { type DeviceIdCache, readDeviceId } from './device-id-cache.ts';
import type {
  Accepted,
  Deliver,
  Ephemeral,
  EphemeralDeliver,
  ErrorFrame,
  Gap,
  Hello,
  Lane,
  Part,
  Rejected,
  Send,
  Welcome,
} from './frames.ts';
import type { DeviceId, MessageId } from './ids.ts';
import { LIMITS } from './limits.ts';
import type { Reader } from './protobuf-reader.ts';
import { WireError } from './wire-error.ts';

/** By enum number. */
export const LANES: readonly Lane[] = ['both', 'replica', 'contact'];
export const GAP_REASONS: readonly Gap['reason'][] = ['expired', 'trimmed'];

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_PARTS: Part[] = [];

export function readHello(reader: Reader): Hello {
  let token = '';
  let lane: Lane = 'both';
  let client = '';
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        token = reader.text(LIMITS.tokenBytes.value);
        break;
      case 2:
        lane = reader.choice(LANES);
        break;
      case 3:
        client = reader.text(LIMITS.clientNameBytes.value);
        break;
      default:
        reader.skip();
    }
  }
  return { kind: 'hello', token, lane, client };
}

export function readSend(reader: Reader, deviceIds?: DeviceIdCache): Send {
  let id: MessageId | undefined;
  let body = NO_BYTES;
  let parts: Part[] = NO_PARTS;
  let allDevices = false;
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
      default:
        reader.skip();
    }
  }
  checkParts(reader, body, parts);
  return { kind: 'send', id: id ?? reader.fail('no message id'), body, parts, allDevices };
}

export function readEphemeral(reader: Reader, deviceIds?: DeviceIdCache): Ephemeral {
  let body = NO_BYTES;
  let parts: Part[] = NO_PARTS;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        body = readPayload(reader);
        break;
      case 2:
        parts = readPart(reader, parts, deviceIds);
        break;
      default:
        reader.skip();
    }
  }
  checkParts(reader, body, parts);
  return { kind: 'ephemeral', body, parts };
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

export function readWelcome(reader: Reader, deviceIds?: DeviceIdCache): Welcome {
  let device: DeviceId | undefined;
  let serverTime = 0;
  let expiresAt = 0;
  let window = 0;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        device = readDeviceId(reader, deviceIds);
        break;
      case 2:
        serverTime = reader.uint();
        break;
      case 3:
        expiresAt = reader.uint();
        break;
      case 4:
        window = reader.uint32();
        break;
      default:
        reader.skip();
    }
  }
  return { kind: 'welcome', device: device ?? reader.fail('no device'), serverTime, expiresAt, window };
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

export function readRejected(reader: Reader, deviceIds?: DeviceIdCache): Rejected {
  let id: MessageId | undefined;
  let code = '';
  let text = '';
  let retryable = false;
  let retryAfterMs = 0;
  const missing: DeviceId[] = [];
  const extra: DeviceId[] = [];
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        id = readMessageId(reader);
        break;
      case 2:
        code = reader.text(LIMITS.errorCodeBytes.value);
        break;
      case 3:
        text = reader.text(LIMITS.errorTextBytes.value);
        break;
      case 4:
        retryable = reader.bool();
        break;
      case 5:
        retryAfterMs = reader.uint();
        break;
      case 6:
        readMismatch(reader, missing, deviceIds);
        break;
      case 7:
        readMismatch(reader, extra, deviceIds);
        break;
      default:
        reader.skip();
    }
  }
  return {
    kind: 'rejected',
    id: id ?? reader.fail('no message id'),
    code,
    text,
    retryable,
    retryAfterMs,
    missing,
    extra,
  };
}

function readMismatch(reader: Reader, devices: DeviceId[], deviceIds?: DeviceIdCache): void {
  if (devices.length >= LIMITS.mismatchDevices.value) reader.fail(`more than ${LIMITS.mismatchDevices.value} devices`);
  devices.push(readDeviceId(reader, deviceIds));
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
  checkPayload(body, content);
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

export function readEphemeralDeliver(reader: Reader, deviceIds?: DeviceIdCache): EphemeralDeliver {
  let sender: DeviceId | undefined;
  let sentAt = 0;
  let content = NO_BYTES;
  let body = NO_BYTES;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        sender = readDeviceId(reader, deviceIds);
        break;
      case 2:
        sentAt = reader.uint();
        break;
      case 3:
        content = readPayload(reader);
        break;
      case 4:
        body = readPayload(reader);
        break;
      default:
        reader.skip();
    }
  }
  checkPayload(body, content);
  return { kind: 'ephemeral-deliver', sender: sender ?? reader.fail('no sender'), sentAt, content, body };
}

export function readGap(reader: Reader): Gap {
  let count = 0;
  let fromSeq = 0;
  let toSeq = 0;
  let reason: Gap['reason'] = 'expired';
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        count = reader.uint();
        break;
      case 2:
        fromSeq = reader.uint();
        break;
      case 3:
        toSeq = reader.uint();
        break;
      case 4:
        reason = reader.choice(GAP_REASONS);
        break;
      default:
        reader.skip();
    }
  }
  return { kind: 'gap', count, fromSeq, toSeq, reason };
}

export function readError(reader: Reader): ErrorFrame {
  let code = '';
  let text = '';
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        code = reader.text(LIMITS.errorCodeBytes.value);
        break;
      case 2:
        text = reader.text(LIMITS.errorTextBytes.value);
        break;
      default:
        reader.skip();
    }
  }
  return { kind: 'error', code, text };
}

/** A message with one number in field 1. */
export function readUint(reader: Reader): number {
  let value = 0;
  while (!reader.done) {
    if (reader.field() === 1) value = reader.uint();
    else reader.skip();
  }
  return value;
}

/** A message with one text in field 1. */
export function readText(reader: Reader, maximum: number): string {
  let text = '';
  while (!reader.done) {
    if (reader.field() === 1) text = reader.text(maximum);
    else reader.skip();
  }
  return text;
}

/** Body and one content together are the payload of a message: `payload-too-large` beyond the limit. */
export function checkPayload(body: Uint8Array, content: Uint8Array): void {
  const { value } = LIMITS.payloadBytes;
  if (body.length + content.length > value)
    throw new WireError('payload-too-large', `a payload has at most ${value} bytes`);
}

function checkParts(reader: Reader, body: Uint8Array, parts: readonly Part[]): void {
  checkPayload(body, NO_BYTES);
  for (const part of parts) checkPayload(body, part.content);
  // A device named twice would get two different messages under one id.
  if (namesTwice(parts)) reader.fail('a device has two parts');
}

function namesTwice(parts: readonly Part[]): boolean {
  // The usual message goes to a handful of devices: comparing them all is cheaper than a set of them.
  if (parts.length > 8) return new Set(parts.map((part) => part.device)).size < parts.length;
  for (let i = 1; i < parts.length; i++)
    for (let j = 0; j < i; j++) if (parts[i]?.device === parts[j]?.device) return true;
  return false;
}

/** Its length is judged by `checkPayload`, with an error of its own. */
function readPayload(reader: Reader): Uint8Array {
  return reader.bytes(LIMITS.frameBytes.value);
}

function readMessageId(reader: Reader): MessageId {
  const id = reader.bytes(LIMITS.messageIdBytes.value);
  return id.length === LIMITS.messageIdBytes.value ? (id as MessageId) : reader.fail('a message id has 16 bytes');
}
