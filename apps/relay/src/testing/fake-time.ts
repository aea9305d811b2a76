/** Time that passes when a test says so. */
import type { Timers } from '../time/timers.ts';

interface Waiting {
  readonly at: number;
  readonly run: () => void;
}

export class FakeTime implements Timers {
  ms = Date.UTC(2026, 0, 1);
  /** How far the clock is ahead of the time that passes: a test sets it wrong, and right again. */
  ahead = 0;
  private waiting: Waiting[] = [];
  readonly now = (): number => this.ms + this.ahead;

  after(delayMs: number, run: () => void): () => void {
    const entry = { at: this.ms + delayMs, run };
    this.waiting.push(entry);
    return () => {
      this.waiting = this.waiting.filter((other) => other !== entry);
    };
  }

  /** Lets `ms` pass; what is due runs in order, and what it sets runs too. */
  pass(ms: number): void {
    const end = this.ms + ms;
    for (;;) {
      const [next] = this.waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.ms = Math.max(this.ms, next.at);
      this.waiting = this.waiting.filter((other) => other !== next);
      next.run();
    }
    this.ms = end;
  }
}
