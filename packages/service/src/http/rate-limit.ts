/**
 * Limiters: so many points per key and window, counted in this process. Behind several processes each counts for itself. They fail open
 * by construction: there is no store that could be down.
 *
 * Not rate-limiter-flexible: its memory store reads a clock of its own, keeps a timer for each key, and answers by promises only.
 */
import type { Metrics } from '../observe/metrics.ts';
import { Problem } from './problem.ts';

export interface Budget {
  /** 0: no limit. */
  readonly points: number;
  /** Of a key it begins with the first point taken. */
  readonly windowMs: number;
}

export interface Limiter {
  /**
   * Takes `points` (1 by default). Undefined: allowed; else nothing is taken, and these are the milliseconds until the next window.
   * Refusals are counted in the metrics. `keep`: also refused when fewer than so many points would be left.
   */
  refused(key: string, points?: number, keep?: number): number | undefined;
  /** One point that was taken in the window that runs was not needed: as if it had not been. */
  giveBack(key: string): void;
  /** Points taken in the window that runs. */
  taken(key: string): number;
  /** When nothing is left: the milliseconds until the next window. Takes nothing; such a refusal is counted too. */
  spent(key: string): number | undefined;
  /** The same as `refused` as a `too-many-requests` problem with `Retry-After` and the headers below. */
  demand(key: string, points?: number): void;
  /** `RateLimit-Policy` and `RateLimit` as they stand for `key` (draft-ietf-httpapi-ratelimit-headers); nothing without a limit. */
  headers(key: string): Readonly<Record<string, string>>;
  /** Keys remembered: at most those of the last window and of this one. */
  readonly size: number;
}

/** An answer that can be told what is left of a budget. */
export interface HeaderSink {
  headers(headers: Readonly<Record<string, string>>): unknown;
}

export interface LimiterDeps {
  /** ms since 1970 */
  readonly now: () => number;
  readonly metrics: Metrics;
}

/** `name` is the metric's label and the name of the policy. */
export function createLimiter(name: string, budget: Budget, deps: LimiterDeps): Limiter {
  return budget.points === 0 ? UNLIMITED : new WindowLimiter(name, budget, deps);
}

const UNLIMITED: Limiter = {
  refused: () => undefined,
  giveBack: () => {},
  taken: () => 0,
  spent: () => undefined,
  demand: () => {},
  headers: () => ({}),
  size: 0,
};

interface Window {
  readonly from: number;
  taken: number;
}

/** More than one: the ended are fewer after each new key. */
const FORGET_AT_ONCE = 2;

class WindowLimiter implements Limiter {
  /** In the order of their beginning: the first are the first to end. */
  readonly #windows = new Map<string, Window>();
  readonly #name: string;
  readonly #budget: Budget;
  readonly #deps: LimiterDeps;

  constructor(name: string, budget: Budget, deps: LimiterDeps) {
    this.#name = name;
    this.#budget = budget;
    this.#deps = deps;
  }

  get size(): number {
    return this.#windows.size;
  }

  refused(key: string, points = 1, keep = 0): number | undefined {
    const now = this.#deps.now();
    const window = this.#current(key, now) ?? this.#begin(key, now);
    if (window.taken + points <= this.#budget.points - keep) {
      window.taken += points;
      return undefined;
    }
    this.#deps.metrics.rateLimitRejections.inc({ limiter: this.#name });
    return window.from + this.#budget.windowMs - now;
  }

  giveBack(key: string): void {
    const window = this.#current(key, this.#deps.now());
    if (!window || window.taken === 0) return;
    window.taken -= 1;
    if (window.taken === 0) this.#windows.delete(key);
  }

  taken(key: string): number {
    return this.#current(key, this.#deps.now())?.taken ?? 0;
  }

  spent(key: string): number | undefined {
    const now = this.#deps.now();
    const window = this.#current(key, now);
    if (!window || window.taken < this.#budget.points) return undefined;
    this.#deps.metrics.rateLimitRejections.inc({ limiter: this.#name });
    return window.from + this.#budget.windowMs - now;
  }

  demand(key: string, points?: number): void {
    const waitMs = this.refused(key, points);
    if (waitMs === undefined) return;
    throw new Problem('too-many-requests', { retryAfterSeconds: waitMs / 1000, headers: this.headers(key) });
  }

  headers(key: string): Readonly<Record<string, string>> {
    const { points, windowMs } = this.#budget;
    const now = this.#deps.now();
    const { from, taken } = this.#current(key, now) ?? { from: now, taken: 0 };
    const seconds = Math.ceil((from + windowMs - now) / 1000);
    return {
      'ratelimit-policy': `"${this.#name}";q=${points};w=${Math.ceil(windowMs / 1000)}`,
      ratelimit: `"${this.#name}";r=${points - taken};t=${seconds}`,
    };
  }

  #current(key: string, now: number): Window | undefined {
    const window = this.#windows.get(key);
    return window && this.#isOpen(window, now) ? window : undefined;
  }

  #begin(key: string, now: number): Window {
    let left = FORGET_AT_ONCE;
    for (const [oldest, window] of this.#windows) {
      if (left-- === 0 || this.#isOpen(window, now)) break;
      this.#windows.delete(oldest);
    }
    const window = { from: now, taken: 0 };
    // Not in the place of an ended one: the order is that of beginnings.
    this.#windows.delete(key);
    this.#windows.set(key, window);
    return window;
  }

  /** One that begins in the future is of a clock since set back. */
  #isOpen({ from }: Window, now: number): boolean {
    return from <= now && now < from + this.#budget.windowMs;
  }
}
