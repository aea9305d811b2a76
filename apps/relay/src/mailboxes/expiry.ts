/**
 * Housekeeping of the mailboxes: what is older than its life becomes a gap record, whether its device comes back or not (case A21). Of
 * all nodes one sweeps at a time: who has the lease.
 */
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { Store } from '@sealwire/store/port';
import { ticks, type WheelEntry } from '../time/timer-wheel.ts';
import type { MailClock } from './mail-clock.ts';

/** Mailboxes that one call of the store empties. */
const AT_ONCE = 100;

export class Expiry implements WheelEntry {
  slot = -1;

  constructor(
    private readonly store: Pick<Store, 'mailboxes' | 'once'>,
    private readonly clock: Pick<MailClock, 'advance' | 'horizon'>,
    private readonly settings: { readonly expireEveryMs: number },
    private readonly now: () => number,
    private readonly metrics: Pick<Metrics, 'mailExpired' | 'unhandledErrors'>,
    private readonly log: Log,
  ) {}

  due(tick: number): number {
    const { expireEveryMs } = this.settings;
    this.sweep().then(
      (count) => {
        this.metrics.mailExpired.inc(count);
        if (count > 0) this.log.info('mail-expired', { count });
      },
      (error) => {
        this.metrics.unhandledErrors.inc({ where: 'mailbox-expire' });
        this.log.warn('expire-failed', { error });
      },
    );
    return tick + ticks(expireEveryMs);
  }

  private async sweep(): Promise<number> {
    if (!(await this.takeLease())) return 0;
    await this.clock.advance();
    let expired = 0;
    for (let some = -1; some !== 0; expired += some)
      some = await this.store.mailboxes.expire(this.clock.horizon(), AT_ONCE);
    return expired;
  }

  /**
   * Of this while alone: one that was taken by a clock that was ahead must not keep everybody from
   * sweeping until that time has come.
   */
  private takeLease(): Promise<boolean> {
    const { expireEveryMs } = this.settings;
    const now = this.now();
    const turn = Math.floor(now / expireEveryMs);
    const lease = new TextEncoder().encode(`lease: expire mailboxes ${turn}`);
    return this.store.once.take(lease, (turn + 2) * expireEveryMs, now);
  }
}
