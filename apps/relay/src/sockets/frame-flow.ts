/**
 * How much of one socket a turn of the event loop takes (docs/adr/0021-a-turn-for-each-socket.md). A read of a socket brings up to 64 KiB, ten
 * thousand of the smallest frames, and `ws` hands them out in one go; `pause` of its API stops what comes after, not what it has. So its
 * receiver is stopped, which has what is left in the bytes that it came in: nothing is queued, and a peer that goes on fills its own socket.
 */
import { LIMITS } from '@sealwire/wire/limits';
import type { WebSocket } from 'ws';
import type { Turn } from '../time/turn.ts';

/** Of `ws`'s receiver what no API offers; `frame-flow.test.ts` fails should a version name it differently. */
interface Receiver {
  /** Whether it goes on after the frame that it hands out. */
  _loop: boolean;
  /** Bytes that came in and are not parsed yet. */
  readonly _bufferedBytes: number;
  startLoop(done: (error?: Error | null) => void): void;
  readonly destroyed: boolean;
  destroy(error: Error): void;
}

const FRAMES = LIMITS.framesPerTurn.value;
const BYTES = LIMITS.bytesPerTurn.value;
const UNWRITTEN_BYTES = LIMITS.unwrittenBytes.value;
/** Of a frame's header: the mask is four bytes, the length two to ten (RFC 6455 section 5.2). */
const SHORTEST_HEADER = 6;
const LONGEST_HEADER = 14;

export class FrameFlow {
  /** As the turn was at the last refill. */
  private ended = 0;
  // May be less than nothing: what a frame cost beyond its share is paid in the turns that follow (deficit round robin).
  private framesLeft: number = FRAMES;
  private bytesLeft: number = BYTES;
  /** What was not parsed yet when the last frame was handed out. */
  private unparsed = 0;
  /** Until a later turn. */
  private rests = false;
  private holds = 0;
  /** Bytes of messages that wait for their durable write. */
  private unwritten = 0;

  constructor(
    private readonly ws: WebSocket,
    private readonly turn: Pick<Turn, 'ended'>,
  ) {}

  /**
   * Counts a frame of `bytes`, of whatever kind, while `ws` hands it out. It is to be served; what is behind it may have to wait.
   * Those of earlier turns count, too, in which no socket was answered: a rest now and then costs less than to ask for each turn's end.
   */
  took(bytes: number): void {
    const { ended } = this.turn;
    if (ended !== this.ended) this.refill(ended - this.ended);
    this.framesLeft -= 1 + this.furtherFragments(bytes);
    this.bytesLeft -= bytes;
    if (this.isSpent) this.stopAndRest();
  }

  /**
   * Each costs as much as a frame. `ws` does not say how many there were, but they had headers: what was parsed beyond `bytes` and one header.
   * Of a frame whose end came in a later read than its beginning nothing is known, and nothing is counted.
   */
  private furtherFragments(bytes: number): number {
    const { _bufferedBytes: left } = this.receiver;
    const headers = this.unparsed - left - bytes;
    this.unparsed = left;
    return headers > LONGEST_HEADER ? Math.floor(headers / SHORTEST_HEADER) - 1 : 0;
  }

  /** The frame that is being served costs as much as so many more. */
  costs(frames: number): void {
    if (frames <= 0) return;
    this.framesLeft -= frames;
    if (this.isSpent) this.stopAndRest();
  }

  /** No frame comes until there were as many calls of `release`. */
  hold(): void {
    this.holds++;
    this.stop();
  }

  release(): void {
    this.holds--;
    this.rest();
  }

  /** A message of `bytes` waits for its durable write: with too many of them no more frames come. */
  submitted(bytes: number): void {
    const before = this.unwritten;
    this.unwritten += bytes;
    if (before <= UNWRITTEN_BYTES && this.unwritten > UNWRITTEN_BYTES) this.hold();
  }

  /** It waits no more. */
  settled(bytes: number): void {
    const before = this.unwritten;
    this.unwritten -= bytes;
    if (before > UNWRITTEN_BYTES && this.unwritten <= UNWRITTEN_BYTES) this.release();
  }

  private get isSpent(): boolean {
    return this.framesLeft <= 0 || this.bytesLeft <= 0;
  }

  private refill(turns: number): void {
    this.ended = this.turn.ended;
    this.framesLeft = Math.min(FRAMES, this.framesLeft + turns * FRAMES);
    this.bytesLeft = Math.min(BYTES, this.bytesLeft + turns * BYTES);
  }

  private stopAndRest(): void {
    this.stop();
    this.rest();
  }

  private rest(): void {
    if (this.rests) return;
    this.rests = true;
    setImmediate(this.rested);
  }

  private readonly rested = (): void => {
    this.rests = false;
    this.refill(1);
    if (this.isSpent) this.rest();
    else if (this.holds === 0) this.goOn();
  };

  private stop(): void {
    this.receiver._loop = false;
    this.ws.pause();
  }

  private goOn(): void {
    const { receiver } = this;
    if (receiver.destroyed) return;
    receiver.startLoop((error) => {
      if (error) receiver.destroy(error);
    });
    if (!this.rests && this.holds === 0) this.ws.resume();
  }

  private get receiver(): Receiver {
    return (this.ws as unknown as { readonly _receiver: Receiver })._receiver;
  }
}
