/** Housekeeping of attachments: what has ended goes, file first and record then. Of all nodes one sweeps at a time: who has the lease. */
import type { Blobs } from '@sealwire/blobs/port';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { Store } from '@sealwire/store/port';
import { LIMITS } from '@sealwire/wire/limits';
import { discard } from './attachment-service.ts';

export const SWEEP_EVERY_MS = 10 * 60_000;
const AT_ONCE = 100;
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
    const { log, metrics } = this.deps;
    try {
      if (!(await this.takeLease())) return;
      const count = await this.sweepExpired();
      const forgotten = await this.deps.blobs.sweep(this.deps.now() - FORGOTTEN_AFTER_MS);
      if (count + forgotten > 0) log.info('attachments-expired', { count: count + forgotten });
    } catch (error) {
      metrics.unhandledErrors.inc({ where: 'attachments-expire' });
      log.warn('expire-failed', { error });
    }
  }

  private async sweepExpired(): Promise<number> {
    const { store, blobs, now } = this.deps;
    for (let swept = 0; ; ) {
      const some = await store.attachments.expired(now(), AT_ONCE);
      if (some.length === 0) return swept;
      for (const { address, attachment } of some) {
        await discard(blobs, attachment);
        await store.attachments.remove(address, attachment.id);
        swept++;
      }
    }
  }

  /** Of this turn alone: one that a clock ahead had taken must not keep everybody from sweeping until then. */
  private takeLease(): Promise<boolean> {
    const now = this.deps.now();
    const turn = Math.floor(now / SWEEP_EVERY_MS);
    const lease = new TextEncoder().encode(`lease: expire attachments ${turn}`);
    return this.deps.store.once.take(lease, (turn + 2) * SWEEP_EVERY_MS, now);
  }
}
