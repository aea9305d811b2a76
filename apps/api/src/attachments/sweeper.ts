/** Housekeeping of attachments: what has ended goes, file first and record then. Of all nodes one sweeps at a time: who has the lease. */
import type { Blobs } from '@sealwire/blobs/port';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { Store } from '@sealwire/store/port';
import { LIMITS } from '@sealwire/wire/limits';
import { discard } from './attachment-service.ts';

export const SWEEP_EVERY_MS = 10 * 60_000;
const AT_ONCE = 100;
/** A completion that began in time may take so long: it is asked for at the place of the files in several calls, each with repeats. */
const GRACE_MS = 15 * 60_000;
/** Of one turn. */
const MOST_FAILURES = 3;
/** Uploads without a record: longer than any with one, whatever the clocks of two machines say. */
const FORGOTTEN_AFTER_MS = 2 * LIMITS.uploadLifeMs.value;

export interface SweeperDeps {
  readonly store: Pick<Store, 'attachments' | 'once'>;
  readonly blobs: Blobs;
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'unhandledErrors'>;
}

export class AttachmentSweeper {
  constructor(private readonly deps: SweeperDeps) {}

  /** Resolves when it is done, and never rejects: the next turn tries again. */
  async sweep(): Promise<void> {
    const { blobs, now, log } = this.deps;
    let count = 0;
    await this.attempt(async () => {
      if (!(await this.takeLease())) return;
      await this.attempt(() => this.sweepExpired(() => count++));
      count += await blobs.sweep(now() - FORGOTTEN_AFTER_MS);
    });
    if (count > 0) log.info('attachments-expired', { count });
  }

  private async attempt(job: () => Promise<void>): Promise<void> {
    const { log, metrics } = this.deps;
    try {
      await job();
    } catch (error) {
      metrics.unhandledErrors.inc({ where: 'attachments-expire' });
      log.warn('expire-failed', { error });
    }
  }

  /** Rejects, at the end, when one could not be let go of: that one keeps no other. */
  private async sweepExpired(onGone: () => void): Promise<void> {
    const { store, blobs, now } = this.deps;
    const failures = new Map<string, unknown>();
    for (;;) {
      const expired = await store.attachments.expired(now() - GRACE_MS, AT_ONCE + failures.size);
      const some = expired.filter(({ attachment }) => !failures.has(attachment.id));
      if (some.length === 0) break;
      for (const { address, attachment } of some) {
        try {
          await discard(store, blobs, address, attachment);
          onGone();
        } catch (error) {
          failures.set(attachment.id, error);
          // It is the place, or the store, that does not answer.
          if (failures.size === MOST_FAILURES) throw error;
        }
      }
    }
    for (const error of failures.values()) throw error;
  }

  /** Of this turn alone: one that a clock ahead had taken must not keep everybody from sweeping until then. */
  private takeLease(): Promise<boolean> {
    const now = this.deps.now();
    const turn = Math.floor(now / SWEEP_EVERY_MS);
    const lease = new TextEncoder().encode(`lease: expire attachments ${turn}`);
    return this.deps.store.once.take(lease, (turn + 2) * SWEEP_EVERY_MS, now);
  }
}
