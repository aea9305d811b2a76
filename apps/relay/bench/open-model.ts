/**
 * Messages at the times at which people would write them, whatever the server does meanwhile: a
 * fixed schedule (Poisson), and latency counted from the intended time, so that a server that stands
 * still is charged with all that should have come through.
 */
import { createHash } from 'node:crypto';
import type { BenchClient } from './client.ts';
import { ackFrame, FrameTemplate } from './frame-template.ts';
import type { Credentials, ServerKind } from './protocol.ts';
import { closeAll, connectPairs, type PortsOf } from './sockets.ts';

/** As our SDK does: after its first unacknowledged message a recipient waits so long for more. */
const ACK_AFTER_MS = 100;
/** What has not come through by then is lost. */
const PATIENCE_MS = 30_000;
/** A timer is late by less than this, most of the time; and it leaves a core to others for no longer than this. */
const TIMER_LATE_MS = 2;
const MOST_SLEEP_MS = 10;

/** Milliseconds, ascending. */
export interface Latencies {
  /** From the intended time to the recipient. */
  readonly delivered: Float64Array;
  /** From the intended time to the sender's acknowledgement. */
  readonly accepted: Float64Array;
  /** How late the driver itself was. */
  readonly lag: Float64Array;
}

export interface OpenLoad {
  /** Resolves when all is delivered, accepted and acknowledged. */
  play(perSecond: number, seconds: number, seed: string): Promise<Latencies>;
  end(): Promise<void>;
}

interface Slot {
  readonly at: number;
  readonly pair: number;
}

/** The same for the same seed. */
export function schedule(pairs: number, perSecond: number, seconds: number, seed: string): Slot[] {
  const count = Math.round(perSecond * seconds);
  const random = createHash('shake256', { outputLength: 8 * count })
    .update(seed)
    .digest();
  let at = 0;
  return Array.from({ length: count }, (_, i) => {
    at -= (Math.log1p(-random.readUInt32LE(8 * i) / 2 ** 32) * 1_000) / perSecond;
    return { at, pair: random.readUInt32LE(8 * i + 4) % pairs };
  });
}

class OpenPair {
  private readonly frames: FrameTemplate;
  private sent = 0;
  /** When the messages under way should have been sent, oldest first. */
  private undelivered: number[] = [];
  private unaccepted: number[] = [];
  private lastSeq = 0;
  private acknowledgeAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly from: BenchClient,
    private readonly to: BenchClient,
    recipient: string | undefined,
    seed: number,
    private readonly times: { delivered: number[]; accepted: number[] },
  ) {
    this.frames = new FrameTemplate(recipient, seed);
    from.events = { accepted: (count) => this.onAccepted(count), delivered() {} };
    to.events = { accepted() {}, delivered: (seq) => this.onDelivered(seq) };
  }

  send(intended: number): void {
    this.undelivered.push(intended);
    this.unaccepted.push(intended);
    this.from.socket.write(this.frames.make(this.sent++));
  }

  acknowledgeIfDue(now: number): void {
    if (now < this.acknowledgeAt) return;
    this.acknowledgeAt = Number.POSITIVE_INFINITY;
    this.to.socket.write(ackFrame(this.lastSeq));
  }

  get isQuiet(): boolean {
    return this.unaccepted.length + this.undelivered.length === 0 && this.acknowledgeAt === Number.POSITIVE_INFINITY;
  }

  private onAccepted(count: number): void {
    const now = performance.now();
    for (const intended of this.unaccepted.splice(0, count)) this.times.accepted.push(now - intended);
  }

  private onDelivered(seq: number): void {
    const now = performance.now();
    this.times.delivered.push(now - this.undelivered.shift()!);
    this.lastSeq = seq;
    this.acknowledgeAt = Math.min(this.acknowledgeAt, now + ACK_AFTER_MS);
  }
}

export async function openLoad(
  port: number | PortsOf,
  kind: ServerKind,
  count: number,
  devices: readonly Credentials[],
  /** Whether what is measured runs on the driver's core too. */
  doesSleep = false,
): Promise<OpenLoad> {
  const times = { delivered: [] as number[], accepted: [] as number[] };
  const connected = await connectPairs(port, kind, count, devices);
  const pairs = connected.map(([from, to], i) => new OpenPair(from, to, devices[2 * i + 1]?.device, i, times));
  return {
    play(perSecond, seconds, seed) {
      const slots = schedule(count, perSecond, seconds, seed);
      const lag = new Float64Array(slots.length);
      times.delivered = [];
      times.accepted = [];
      const start = performance.now();
      const latest = start + seconds * 1_000 + PATIENCE_MS;
      let next = 0;
      return new Promise((resolve, reject) => {
        // It sleeps only where others need its core, and wakes early: a timer is late by a millisecond.
        function turn(): void {
          for (;;) {
            const slot = slots[next];
            const late = slot ? performance.now() - start - slot.at : -1;
            if (!slot || late < 0) break;
            lag[next++] = late;
            pairs[slot.pair]!.send(start + slot.at);
          }
          const now = performance.now();
          for (const pair of pairs) pair.acknowledgeIfDue(now);
          if (next === slots.length && pairs.every(({ isQuiet }) => isQuiet))
            resolve({ delivered: ascending(times.delivered), accepted: ascending(times.accepted), lag: lag.sort() });
          else if (now > latest) reject(new Error(`${slots.length - times.delivered.length} messages are lost`));
          else {
            const rest = (slots[next]?.at ?? Number.POSITIVE_INFINITY) - (now - start) - TIMER_LATE_MS;
            if (doesSleep && rest >= 1) setTimeout(turn, Math.min(rest, MOST_SLEEP_MS));
            else setImmediate(turn);
          }
        }
        turn();
      });
    },
    end: () => closeAll(connected.flat()),
  };
}

function ascending(times: readonly number[]): Float64Array {
  return Float64Array.from(times).sort();
}
