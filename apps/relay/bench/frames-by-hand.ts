/**
 * The generator's side of the wire, as light as can be: masked client frames made once and patched, server frames read without building
 * anything. It shares the core that is not measured.
 */
import { randomBytes } from 'node:crypto';

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A masked binary frame (RFC 6455 section 5.2), and where its payload begins. */
export function maskedFrame(payload: Uint8Array): { frame: Buffer; payloadAt: number } {
  const { length } = payload;
  const header =
    length < 126
      ? Buffer.from([0x82, 0x80 | length])
      : length < 65_536
        ? Buffer.from([0x82, 0xfe, length >>> 8, length & 0xff])
        : Buffer.from([
            0x82,
            0xff,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >>> 16) & 0xff,
            (length >>> 8) & 0xff,
            length & 0xff,
          ]);
  const payloadAt = header.length + 4;
  const frame = Buffer.concat([header, MASK, payload]);
  for (let i = 0; i < length; i++) frame[payloadAt + i]! ^= MASK[i & 3]!;
  return { frame, payloadAt };
}

/** Writes `value` over 4 payload bytes at `at` of a masked frame: a fresh message id for a frame that was made once. */
export function patchUint32(frame: Buffer, payloadAt: number, at: number, value: number): void {
  for (let i = 0; i < 4; i++) frame[payloadAt + at + i] = ((value >>> (24 - 8 * i)) & 0xff) ^ MASK[(at + i) & 3]!;
}

/** Cuts a stream into frames: `onFrame(buffer, start, end)` for each data frame's payload; pings are answered by `onPing`. */
export class FrameCutter {
  private rest: Buffer | undefined;

  constructor(
    private readonly onFrame: (buffer: Buffer, start: number, end: number) => void,
    private readonly onControl: (opcode: number) => void,
  ) {}

  push(chunk: Buffer): void {
    const buffer = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    this.rest = undefined;
    let at = 0;
    for (;;) {
      if (buffer.length - at < 2) break;
      let length = buffer[at + 1]! & 0x7f;
      let start = at + 2;
      if (length === 126) {
        if (buffer.length - at < 4) break;
        length = buffer.readUInt16BE(start);
        start += 2;
      } else if (length === 127) {
        if (buffer.length - at < 10) break;
        length = buffer.readUInt32BE(start + 4);
        start += 8;
      }
      const end = start + length;
      if (buffer.length < end) break;
      const opcode = buffer[at]! & 0x0f;
      if (opcode === 2) this.onFrame(buffer, start, end);
      else this.onControl(opcode);
      at = end;
    }
    if (at < buffer.length) this.rest = buffer.subarray(at);
  }
}

/** An unsigned protobuf varint at `at`, small enough for a number. */
export function varintAt(buffer: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  let next = at;
  for (;;) {
    const byte = buffer[next++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next };
    scale *= 128;
  }
}

export function handshake(path: string, protocol: string | undefined): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ...(protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
