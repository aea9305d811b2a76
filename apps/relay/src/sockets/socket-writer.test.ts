import { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { encodeDeliver } from '@sealwire/wire/frame-codec';
import { turns } from '../testing/test-relay.ts';
import { Turn } from '../time/turn.ts';
import { SocketWriter } from './socket-writer.ts';

/** A socket that copies what it takes, as the kernel does; what it does not take it keeps. */
class FakeSocket extends Duplex {
  readonly chunks: Buffer[] = [];
  readonly given: Buffer[] = [];
  stuck = false;
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.given.push(chunk);
    this.chunks.push(this.stuck ? chunk : Buffer.from(chunk));
    if (!this.stuck) done();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

function open(maxWaitingBytes = 1_000_000) {
  const socket = new FakeSocket();
  let slow = 0;
  const owner = { tooSlow: () => slow++ };
  const writer = new SocketWriter(socket, new Turn(), maxWaitingBytes, owner);
  return { socket, writer, slow: () => slow };
}

/** The headers of RFC 6455 section 5.2, written down once more. */
function frames(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x82);
    const short = bytes[at + 1]!;
    expect(short & 0x80).toBe(0);
    const [length, header] =
      short < 126
        ? [short, 2]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), 4]
          : [Number(bytes.readBigUInt64BE(at + 2)), 10];
    found.push(bytes.subarray(at + header, at + header + length));
    at += header + length;
  }
  return found;
}

describe('SocketWriter', () => {
  it.each([0, 1, 125, 126, 127, 16_383, 16_384, 65_535, 65_536, 100_000])('frames %d bytes', (length) => {
    const { socket, writer } = open();
    const payload = Buffer.alloc(length, 7);
    writer.frame(payload);
    writer.deliver(300, [payload, Buffer.from([3])], length + 1);
    writer.flush();
    const [first, second, ...rest] = frames(socket.bytes);
    expect(first!.equals(payload)).toBe(true);
    expect(second!.equals(encodeDeliver(300, [payload, Buffer.from([3])]))).toBe(true);
    expect(rest).toEqual([]);
  });

  it('writes the frames of one turn as one buffer, at its end', async () => {
    const { socket, writer } = open();
    for (let i = 0; i < 50; i++) writer.frame(Buffer.alloc(100, i));
    expect(socket.chunks).toEqual([]);
    await turns(1);
    expect(socket.chunks).toHaveLength(1);
    expect(frames(socket.bytes)).toHaveLength(50);
  });

  it('leaves large payloads where they are', () => {
    const { socket, writer } = open();
    const payload = Buffer.alloc(20_000);
    writer.frame(payload);
    writer.flush();
    expect(socket.given).toContain(payload);
  });

  it('what a socket did not take stays as it was, whatever is written to others', () => {
    const [slow, other] = [open(), open()];
    slow.socket.stuck = true;
    for (const [i, { writer }] of [slow, other, other].entries()) {
      writer.frame(Buffer.alloc(300, i + 1));
      writer.flush();
    }
    expect(frames(slow.socket.bytes)).toEqual([Buffer.alloc(300, 1)]);
    expect(frames(other.socket.bytes)).toEqual([Buffer.alloc(300, 2), Buffer.alloc(300, 3)]);
    expect(other.socket.given[0]?.buffer).toBe(other.socket.given[1]?.buffer);
  });

  it('tells its owner when more waits than the bound, and only of what the socket did not take', async () => {
    const { socket, writer, slow } = open(1_000);
    writer.frame(Buffer.alloc(5_000));
    writer.flush();
    expect(slow()).toBe(0);
    await turns(1);
    socket.stuck = true;
    writer.frame(Buffer.alloc(600));
    writer.flush();
    writer.frame(Buffer.alloc(300));
    writer.flush();
    expect(slow()).toBe(0);
    writer.frame(Buffer.alloc(100));
    writer.flush();
    expect(slow()).toBe(1);
    expect(writer.waitingBytes).toBe(604 + 304 + 102);
  });

  it('writes nothing after the end', () => {
    const { socket, writer } = open();
    writer.frame(Buffer.from([1]));
    writer.end();
    writer.frame(Buffer.from([2]));
    writer.deliver(1, [Buffer.from([2])], 1);
    writer.flush();
    expect(frames(socket.bytes)).toEqual([Buffer.from([1])]);
  });
});
