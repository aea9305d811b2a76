/**
 * One writer a socket: frames are queued and leave as one buffer a turn. WebSocket headers are written by hand around payload bytes
 * that nobody touched (performance, tricks 1 and 2): a server's data frame is FIN and opcode 2, then the length, without a mask
 * (RFC 6455 section 5.2). `ws` writes its own frames (ping, pong, close) whole to the same socket, so that the two never interleave.
 */
import type { Duplex } from 'node:stream';
import type { Flushable, Turn } from './turn.ts';

const FIN_BINARY = 0x82;
// Copying less than this into the one buffer is cheaper than one more chunk for the kernel; larger chunks leave by reference, and a
// body for a thousand recipients stays one body.
const BY_REFERENCE_BYTES = 16 * 1024;

export interface SlowConsumer {
  /** The socket did not take what it was given: more than the bound waits. */
  tooSlow(): void;
}

export class SocketWriter implements Flushable {
  /** For each frame: its payload's length, the number of its chunks, the chunks. Undefined while nothing waits. */
  private queue: (number | Uint8Array)[] | undefined;
  private queuedBytes = 0;
  private hasLarge = false;
  private ended = false;

  constructor(
    private readonly socket: Duplex,
    private readonly turn: Turn,
    private readonly maxWaitingBytes: number,
    private readonly owner: SlowConsumer,
  ) {}

  /** Bytes given to us and not yet taken by the kernel. */
  get waitingBytes(): number {
    return this.queuedBytes + this.socket.writableLength;
  }

  frame(payload: Uint8Array): void {
    if (this.ended) return;
    this.open(payload.length).push(payload.length, 1, payload);
    if (payload.length >= BY_REFERENCE_BYTES) this.hasLarge = true;
  }

  /** One frame of `head` and `pieces`, `length` bytes together. The bytes must not change until they are flushed. */
  frameOf(head: Uint8Array, pieces: readonly Uint8Array[], length: number): void {
    if (this.ended) return;
    const queue = this.open(length);
    queue.push(length, 1 + pieces.length, head);
    for (const piece of pieces) {
      queue.push(piece);
      if (piece.length >= BY_REFERENCE_BYTES) this.hasLarge = true;
    }
  }

  flush(): void {
    const { queue, queuedBytes } = this;
    if (!queue) return;
    this.queue = undefined;
    this.queuedBytes = 0;
    if (this.socket.destroyed) return;
    const untaken = this.socket.writableLength;
    if (this.hasLarge) this.writeByReference(queue);
    else this.socket.write(merge(queue, queuedBytes));
    this.hasLarge = false;
    // Judged by what earlier turns left behind: the bytes just written are counted as waiting even when the kernel took them at once.
    if (untaken > 0 && untaken + queuedBytes > this.maxWaitingBytes) this.owner.tooSlow();
  }

  /** Flushes for the last time: nothing may follow a Close frame (RFC 6455 section 5.5.1). */
  end(): void {
    this.flush();
    this.ended = true;
  }

  private open(length: number): (number | Uint8Array)[] {
    this.queuedBytes += length + headerBytes(length);
    if (this.queue) return this.queue;
    this.queue = [];
    this.turn.add(this);
    return this.queue;
  }

  private writeByReference(queue: readonly (number | Uint8Array)[]): void {
    this.socket.cork();
    for (let i = 0; i < queue.length; ) {
      const length = queue[i++] as number;
      const end = i + 1 + (queue[i] as number);
      const header = Buffer.allocUnsafe(headerBytes(length));
      writeHeader(header, 0, length);
      this.socket.write(header);
      for (i++; i < end; i++) this.socket.write(queue[i] as Uint8Array);
    }
    this.socket.uncork();
  }
}

function merge(queue: readonly (number | Uint8Array)[], bytes: number): Buffer {
  const out = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (let i = 0; i < queue.length; ) {
    const length = queue[i++] as number;
    const end = i + 1 + (queue[i] as number);
    at = writeHeader(out, at, length);
    for (i++; i < end; i++) {
      const chunk = queue[i] as Uint8Array;
      out.set(chunk, at);
      at += chunk.length;
    }
  }
  return out;
}

function headerBytes(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

function writeHeader(out: Buffer, start: number, length: number): number {
  let at = start;
  out[at++] = FIN_BINARY;
  if (length < 126) {
    out[at++] = length;
  } else if (length < 65_536) {
    out[at++] = 126;
    out[at++] = length >>> 8;
    out[at++] = length & 0xff;
  } else {
    out[at++] = 127;
    out.writeUInt32BE(0, at);
    out.writeUInt32BE(length, at + 4);
    at += 8;
  }
  return at;
}
