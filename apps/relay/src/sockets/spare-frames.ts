/** The budget of one socket for frames that bring no message (docs/spec/relay-protocol.md section 6). */
import { LIMITS } from '@sealwire/wire/limits';
import { TICK_MS, type TimerWheel } from '../time/timer-wheel.ts';

const BURST = LIMITS.spareFramesBurst.value;
const PER_TICK = (LIMITS.spareFramesPerSecond.value * TICK_MS) / 1_000;

export class SpareFrames {
  private left: number = BURST;
  private tick: number;

  /** Time is that of `wheel`: to look at it costs nothing, and a process that stood still does not refill what its sockets then bring at once. */
  constructor(private readonly wheel: Pick<TimerWheel, 'tick'>) {
    this.tick = wheel.tick;
  }

  /** Takes one; false: there is none. */
  take(): boolean {
    const { tick } = this.wheel;
    if (tick !== this.tick) {
      this.left = Math.min(BURST, this.left + (tick - this.tick) * PER_TICK);
      this.tick = tick;
    }
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}
