/**
 * Token buckets of the message path, in this process. They fail open: there is no store behind them that could be down, and each node
 * counts for itself. A bucket that was not used for long is full again, so that forgetting the least used ones only favours the quiet;
 * only what is taken makes a bucket, so that asking about keys pushes none out.
 */

import { lastUsed } from '../last-used.ts';
import type { Rate } from '../settings.ts';

const BUCKETS = 100_000;
// What adding up small refills loses in a float; no client waits a millisecond for it.
const ROUNDING = 1e-6;

interface Bucket {
  level: number;
  at: number;
}

export class RateLimit {
  private readonly buckets = lastUsed<string, Bucket>(BUCKETS);

  constructor(
    private readonly rate: Rate,
    private readonly now: () => number,
  ) {}

  /** How long to wait until `amount` may pass, ms; 0: it may now. Takes nothing. */
  waitMs(key: string, amount: number): number {
    const { burst, perSecond } = this.rate;
    const bucket = this.buckets.get(key);
    const missing = Math.min(amount, burst) - (bucket ? this.refill(bucket) : burst);
    return missing <= ROUNDING ? 0 : Math.ceil((missing * 1_000) / perSecond - ROUNDING);
  }

  take(key: string, amount: number): void {
    let bucket = this.buckets.get(key);
    if (!bucket) {
      bucket = { level: this.rate.burst, at: this.now() };
      this.buckets.set(key, bucket);
    }
    bucket.level = this.refill(bucket) - amount;
  }

  private refill(bucket: Bucket): number {
    const { burst, perSecond } = this.rate;
    const now = this.now();
    bucket.level = Math.min(burst, bucket.level + (Math.max(0, now - bucket.at) * perSecond) / 1_000);
    bucket.at = now;
    return bucket.level;
  }
}
