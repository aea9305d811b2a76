/**
 * One writer a socket: frames are queued and leave as one buffer a turn. WebSocket headers are written by hand around payload bytes
 * that nobody touched (performance, tricks 1 and 2): a server's data frame is FIN and opcode 2, then the length, without a mask
 * (RFC 6455 section 5.2). `ws` writes its own frames (ping, pong, close) whole to the same socket, so that the two never interleave.
 */
import type { Duplex } from 'node:stream';
import { deliverHeadBytes, writeDeliverHead } from '@sealwire/wire/frame-codec';
import type { Flushable, Turn } from '../time/turn.ts';

const FIN_BINARY = 0x82;
/** Of WebSocket and Deliver together. */
const MOST_HEAD_BYTES = 32;
// Copying less than this into the one buffer is cheaper than one more chunk for the kernel; larger chunks leave by reference, and a
// body for a thousand recipients stays one body.
const BY_REFERENCE_BYTES = 16 * 1024;

const SCRATCH_BYTES = 64 * 1024;
/**
 * What is written at once, as nearly all is, has left this process when `write` returns: the kernel has copied it (and TLS before it). So all
 * sockets share one buffer, and a socket that keeps what it was given keeps that one. New memory for each write would be most of the garbage.
 */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

export interface SlowConsumer {
  /** The socket did not take what it was given: more than the bound waits. */
  tooSlow(): void;
}

type Queued = number | Uint8Array | readonly Uint8Array[];

export class SocketWriter implements Flushable {
  /**
   * For each frame three elements: a length, a sequence number or 0, and what is as long as that: the payload, or, with a sequence number,
   * the pieces of a mail around which the payload is the Deliver frame. Undefined while nothing waits.
   */
  private queue: Queued[] | undefined;
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
    this.enqueue(payload.length, payload.length, 0, payload);
    if (payload.length >= BY_REFERENCE_BYTES) this.hasLarge = true;
  }

  /** A Deliver frame of the mail `pieces`, `mailLength` bytes together, which must not change until they are flushed. */
  deliver(seq: number, pieces: readonly Uint8Array[], mailLength: number): void {
    this.enqueue(payloadBytes(mailLength, seq), mailLength, seq, pieces);
    for (let i = 0; i < pieces.length; i++) if (pieces[i]!.length >= BY_REFERENCE_BYTES) this.hasLarge = true;
  }

  flush(): void {
    const { queue, queuedBytes } = this;
    if (!queue) return;
    this.queue = undefined;
    this.queuedBytes = 0;
    if (this.socket.destroyed) return;
    const untaken = this.socket.writableLength;
    if (this.hasLarge) this.writeByReference(queue);
    else this.writeMerged(queue, queuedBytes);
    this.hasLarge = false;
    // Judged by what earlier turns left behind: the bytes just written are counted as waiting even when the kernel took them at once.
    if (untaken > 0 && untaken + queuedBytes > this.maxWaitingBytes) this.owner.tooSlow();
  }

  /** Flushes for the last time: nothing may follow a Close frame (RFC 6455 section 5.5.1). */
  end(): void {
    this.flush();
    this.ended = true;
  }

  private enqueue(payloadLength: number, length: number, seq: number, what: Uint8Array | readonly Uint8Array[]): void {
    if (this.ended) return;
    this.queuedBytes += payloadLength + headerBytes(payloadLength);
    if (this.queue) {
      this.queue.push(length, seq, what);
      return;
    }
    // One that begins empty would have room for seventeen with its first element, and most frames are alone in their turn.
    this.queue = [length, seq, what];
    this.turn.add(this);
  }

  private writeMerged(queue: readonly Queued[], bytes: number): void {
    const buffer = bytes > scratch.length ? Buffer.allocUnsafeSlow(bytes) : scratch.subarray(0, bytes);
    merge(queue, buffer);
    this.socket.write(buffer);
    // What the kernel did not take at once is the socket's now.
    if (this.socket.writableLength > 0) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  private writeByReference(queue: readonly Queued[]): void {
    this.socket.cork();
    for (let i = 0; i < queue.length; i += 3) {
      const seq = queue[i + 1] as number;
      const heads = Buffer.allocUnsafe(MOST_HEAD_BYTES);
      this.socket.write(heads.subarray(0, writeHeads(heads, 0, queue[i] as number, seq)));
      if (seq === 0) this.socket.write(queue[i + 2] as Uint8Array);
      else for (const piece of queue[i + 2] as readonly Uint8Array[]) this.socket.write(piece);
    }
    this.socket.uncork();
  }
}

function merge(queue: readonly Queued[], out: Buffer): void {
  let at = 0;
  for (let i = 0; i < queue.length; i += 3) {
    const seq = queue[i + 1] as number;
    at = writeHeads(out, at, queue[i] as number, seq);
    if (seq === 0) {
      const payload = queue[i + 2] as Uint8Array;
      out.set(payload, at);
      at += payload.length;
      continue;
    }
    const pieces = queue[i + 2] as readonly Uint8Array[];
    for (let j = 0; j < pieces.length; j++) {
      const piece = pieces[j]!;
      out.set(piece, at);
      at += piece.length;
    }
  }
}

/** Writes the WebSocket header, and with a sequence number that of the Deliver frame; where they end. */
function writeHeads(out: Buffer, start: number, length: number, seq: number): number {
  const at = writeHeader(out, start, payloadBytes(length, seq));
  return seq === 0 ? at : writeDeliverHead(out, at, seq, length);
}

function payloadBytes(length: number, seq: number): number {
  return seq === 0 ? length : deliverHeadBytes(seq, length) + length;
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
