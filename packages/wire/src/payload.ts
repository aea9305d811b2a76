/**
 * The payload of a message, its body and one device's content: docs/spec/relay-protocol.md section
 * 3.1. Hot frames and field tables share it.
 */
import type { DeviceId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { bytes, type Field } from './protobuf/fields.ts';
import type { Reader } from './protobuf/reader.ts';
import { WireError } from './wire-error.ts';

interface Addressed {
  readonly device: DeviceId;
  readonly content: Uint8Array;
}

/** A body or a content. Its length is judged by `checkPayload`, with an error of its own. */
export function payload(number: number): Field<Uint8Array> {
  return bytes(number, LIMITS.frameBytes.value);
}

export function readPayload(reader: Reader): Uint8Array {
  return reader.bytes(LIMITS.frameBytes.value);
}

/** Body and one content together: `payload-too-large` beyond the limit. */
export function checkPayload(bodyLength: number, contentLength: number): void {
  const { value } = LIMITS.payloadBytes;
  if (bodyLength + contentLength > value)
    throw new WireError('payload-too-large', `a payload has at most ${value} bytes`);
}

/** Body and each content, also where there is none. */
export function checkPayloads(body: Uint8Array, parts: readonly Addressed[]): void {
  checkPayload(body.length, 0);
  for (const part of parts) checkPayload(body.length, part.content.length);
}

/** What holds for the parts of a decoded frame. */
export function checkParts(reader: Reader, body: Uint8Array, parts: readonly Addressed[]): void {
  checkPayloads(body, parts);
  // A device named twice would get two different messages under one id.
  if (namesTwice(parts)) reader.fail('a device has two parts');
}

function namesTwice(parts: readonly Addressed[]): boolean {
  // The usual message goes to a handful of devices: comparing all is cheaper than a set of them.
  if (parts.length > 8) return new Set(parts.map((part) => part.device)).size < parts.length;
  for (let i = 1; i < parts.length; i++)
    for (let j = 0; j < i; j++) if (parts[i]?.device === parts[j]?.device) return true;
  return false;
}
