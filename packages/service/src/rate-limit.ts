/**
 * Limiters: so many points per key and window, counted in this process (rate-limiter-flexible). Behind several processes each counts
 * for itself. They fail open by construction: there is no store that could be down.
 */
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Metrics } from './metrics.ts';
import { Problem } from './problem.ts';

export interface Budget {
  /** 0: no limit. */
  readonly points: number;
  readonly windowMs: number;
}

export interface Limiter {
  /** Takes `points` (1 by default). Undefined: allowed; else the milliseconds until it would be. Refusals are counted in the metrics. */
  refused(key: string, points?: number): Promise<number | undefined>;
  /** The same as a `too-many-requests` problem with `Retry-After`. */
  demand(key: string, points?: number): Promise<void>;
}

/** `name` is the metric's label. */
export function createLimiter(name: string, budget: Budget, metrics: Metrics): Limiter {
  if (budget.points === 0) return { refused: async () => undefined, demand: async () => {} };
  const limiter = new RateLimiterMemory({ points: budget.points, duration: budget.windowMs / 1000 });
  async function refused(key: string, points = 1): Promise<number | undefined> {
    try {
      await limiter.consume(key, points);
      return undefined;
    } catch (rejection) {
      if (rejection instanceof Error) throw rejection;
      metrics.rateLimitRejections.inc({ limiter: name });
      return (rejection as RateLimiterRes).msBeforeNext;
    }
  }
  return {
    refused,
    async demand(key, points) {
      const waitMs = await refused(key, points);
      if (waitMs !== undefined) throw new Problem('too-many-requests', { retryAfterSeconds: waitMs / 1000 });
    },
  };
}
