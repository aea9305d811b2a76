/**
 * What the bus refused and is to take in the end, said again until it does (decision 16). The mailbox is the truth, so that all of
 * it may wait; a bus that is away costs one attempt a round, however much waits.
 */
import type { Timers } from '../time/timers.ts';

/** Somebody with something to say. */
export interface Repeated {
  /** Says all that waits, one thing after the other; answers whether the bus took it. Never rejects. */
  sayAgain(): Promise<boolean>;
}

/** A connection that comes back does so within this or two of it. */
export const AGAIN_MS = 500;

export class Repeats {
  private readonly waiting = new Set<Repeated>();
  private isUnderWay = false;
  private stopped = false;
  private cancel = () => {};

  constructor(private readonly timers: Timers) {}

  add(one: Repeated): void {
    this.waiting.add(one);
    this.later();
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private later(): void {
    if (this.isUnderWay || this.stopped || this.waiting.size === 0) return;
    this.isUnderWay = true;
    this.cancel = this.timers.after(AGAIN_MS, () => void this.round());
  }

  private async round(): Promise<void> {
    for (const one of this.waiting) {
      // Before it speaks: what is refused meanwhile is added again.
      this.waiting.delete(one);
      if (await one.sayAgain()) continue;
      this.waiting.add(one);
      break;
    }
    this.isUnderWay = false;
    this.later();
  }
}
