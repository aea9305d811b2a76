/** Time that passes when a test says so. */
import type { Timers } from '../runtime.ts';

export class FakeTime implements Timers {
  ms = Date.UTC(2026, 0, 1);
  #waiting: { readonly at: number; readonly run: () => void }[] = [];
  /** How far the clock is ahead of the time that passes. */
  ahead = 0;
  readonly now = (): number => this.ms + this.ahead;

  after(delayMs: number, run: () => void): () => void {
    const entry = { at: this.ms + delayMs, run };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** Lets `ms` pass; what is due runs in order, and what it sets runs too. Promises settle in between. */
  async pass(ms: number): Promise<void> {
    const end = this.ms + ms;
    await settle();
    for (;;) {
      const [next] = this.#waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.ms = Math.max(this.ms, next.at);
      this.#waiting = this.#waiting.filter((other) => other !== next);
      next.run();
      await settle();
    }
    this.ms = end;
  }
}

/** Lets everything that waits for promises alone run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
