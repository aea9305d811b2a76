/**
 * Limiters: so many points per key and window. Where they count is their counters' business: in this process, or together with all
 * others that share a server (docs/adr/0037). None rejects for a server that is down.
 *
 * Not rate-limiter-flexible: see docs/adr/0007 and 0037.
 */
import type { Charge, Counters, Standing, Taking } from '@sealwire/bus/counters';
import { MemoryCounters } from '@sealwire/bus/memory-counters';
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
   * Refusals are counted in the metrics.
   */
  refused(key: string, points?: number): Promise<number | undefined>;
  /** When nothing is left: the milliseconds until the next window. Takes nothing; such a refusal is counted too. */
  spent(key: string): Promise<number | undefined>;
  /**
   * The same as `refused` as a `too-many-requests` problem with `Retry-After`. Answers `RateLimit-Policy` and `RateLimit` as they stand
   * now for `key` (draft-ietf-httpapi-ratelimit-headers), which the problem has too; nothing without a limit.
   */
  demand(key: string, points?: number): Promise<Readonly<Record<string, string>>>;
}

/** An answer that can be told what is left of a budget. */
export interface HeaderSink {
  headers(headers: Readonly<Record<string, string>>): unknown;
}

export interface LimiterDeps {
  /** ms since 1970 */
  readonly now: () => number;
  readonly metrics: Metrics;
  /** Of this process alone unless given. */
  readonly counters?: Counters | undefined;
}

/** `name` is the metric's label and the name of the policy. */
export function createLimiter(name: string, budget: Budget, deps: LimiterDeps): Limiter {
  const { counters = new MemoryCounters(deps.now), metrics } = deps;
  return budget.points === 0 ? UNLIMITED : new WindowLimiter(name, budget, counters, metrics);
}

/** Counts what a taking of `charges` refused, and answers how long to wait: undefined, nothing was refused. */
export function waitOf(
  { refusedAt, standings }: Taking,
  charges: readonly Charge[],
  metrics: Metrics,
): number | undefined {
  if (refusedAt === undefined) return undefined;
  metrics.rateLimitRejections.inc({ limiter: charges[refusedAt]!.counter });
  return standings[refusedAt]!.leftMs;
}

const UNLIMITED: Limiter = {
  refused: async () => undefined,
  spent: async () => undefined,
  demand: async () => ({}),
};

class WindowLimiter implements Limiter {
  readonly #name: string;
  readonly #budget: Budget;
  readonly #counters: Counters;
  readonly #metrics: Metrics;

  constructor(name: string, budget: Budget, counters: Counters, metrics: Metrics) {
    this.#name = name;
    this.#budget = budget;
    this.#counters = counters;
    this.#metrics = metrics;
  }

  async refused(key: string, points = 1): Promise<number | undefined> {
    const charges = this.#charges(key, points);
    return waitOf(await this.#counters.take(key, charges), charges, this.#metrics);
  }

  async spent(key: string): Promise<number | undefined> {
    const charges = this.#charges(key, 1);
    return waitOf(await this.#counters.look(key, charges), charges, this.#metrics);
  }

  async demand(key: string, points = 1): Promise<Readonly<Record<string, string>>> {
    const charges = this.#charges(key, points);
    const taking = await this.#counters.take(key, charges);
    const waitMs = waitOf(taking, charges, this.#metrics);
    const headers = this.#headers(taking.standings[0]!);
    if (waitMs === undefined) return headers;
    throw new Problem('too-many-requests', { retryAfterSeconds: waitMs / 1000, headers });
  }

  #charges(key: string, points: number): readonly Charge[] {
    return [{ counter: this.#name, key, points, limit: this.#budget.points, windowMs: this.#budget.windowMs }];
  }

  #headers({ taken, leftMs }: Standing): Readonly<Record<string, string>> {
    const { points, windowMs } = this.#budget;
    const left = Math.max(0, points - taken);
    return {
      'ratelimit-policy': `"${this.#name}";q=${points};w=${Math.ceil(windowMs / 1000)}`,
      ratelimit: `"${this.#name}";r=${left};t=${Math.ceil(leftMs / 1000)}`,
    };
  }
}
