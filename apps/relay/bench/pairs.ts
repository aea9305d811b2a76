/** Pairs of a sender and a recipient with a fixed number of messages in flight: sent anew when delivered and accepted. */
import type { BenchClient } from './client.ts';
import { ackFrame, FrameTemplate } from './frame-template.ts';
import type { Credentials, ServerKind } from './protocol.ts';
import { closeAll, connectPairs } from './sockets.ts';

const ACK_EVERY_MS = 100;
const ACK_EVERY_MESSAGES = 32;

class Pair {
  private sent = 0;
  private accepted = 0;
  private delivered = 0;
  private lastSeq = 0;
  private unacknowledged = 0;
  private readonly frames: FrameTemplate;

  constructor(
    private readonly from: BenchClient,
    private readonly to: BenchClient,
    recipient: string | undefined,
    seed: number,
    private readonly inFlight: number,
    private readonly load: { messages: number; isPaused: boolean },
  ) {
    this.frames = new FrameTemplate(recipient, seed);
    from.events = { accepted: (count) => this.onAccepted(count), delivered: () => {} };
    to.events = { accepted: () => {}, delivered: (seq) => this.onDelivered(seq) };
  }

  fill(): void {
    let room = this.inFlight - (this.sent - Math.min(this.accepted, this.delivered));
    if (room <= 0) return;
    const frames: Buffer[] = [];
    for (; room > 0; room--) frames.push(this.frames.make(this.sent++));
    this.from.socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
  }

  acknowledge(): void {
    if (this.unacknowledged === 0) return;
    this.unacknowledged = 0;
    this.to.socket.write(ackFrame(this.lastSeq));
  }

  private onAccepted(count: number): void {
    this.accepted += count;
    this.advance();
  }

  private onDelivered(seq: number): void {
    this.delivered++;
    if (seq > 0) {
      if (seq !== this.lastSeq + 1 && this.lastSeq > 0) throw new Error(`order: ${seq} after ${this.lastSeq}`);
      this.lastSeq = seq;
      if (++this.unacknowledged >= ACK_EVERY_MESSAGES) this.acknowledge();
    }
    this.advance();
  }

  private completed = 0;
  private refill = false;
  private advance(): void {
    const done = Math.min(this.accepted, this.delivered);
    if (done === this.completed) return;
    this.load.messages += done - this.completed;
    this.completed = done;
    if (this.load.isPaused || this.refill) return;
    this.refill = true;
    setImmediate(() => {
      this.refill = false;
      if (!this.load.isPaused) this.fill();
    });
  }

  get isQuiet(): boolean {
    return this.completed === this.sent;
  }
}

export interface Load {
  /** Delivered and accepted so far. */
  readonly messages: number;
  resume(): void;
  /** Resolves when all that is in flight has come through. */
  pause(): Promise<void>;
  end(): Promise<void>;
}

/** Connects; paused at first. `devices`: two for each pair, of our relay; of the bare one only their number counts. */
export async function openPairs(
  port: number,
  kind: ServerKind,
  pairs: number,
  inFlight: number,
  devices: readonly Credentials[],
): Promise<Load> {
  const load = { messages: 0, isPaused: true };
  const connected = await connectPairs(port, kind, pairs, devices);
  const all = connected.map(([from, to], i) => new Pair(from, to, devices[2 * i + 1]?.device, i, inFlight, load));
  const timer = setInterval(() => {
    for (const pair of all) pair.acknowledge();
  }, ACK_EVERY_MS);
  return {
    get messages() {
      return load.messages;
    },
    resume() {
      load.isPaused = false;
      for (const pair of all) pair.fill();
    },
    async pause() {
      load.isPaused = true;
      while (!all.every((pair) => pair.isQuiet)) await new Promise((resolve) => setTimeout(resolve, 5));
      for (const pair of all) pair.acknowledge();
    },
    async end() {
      clearInterval(timer);
      await closeAll(connected.flat());
    },
  };
}
