/**
 * Housekeeping of the mailboxes: what is older than its life becomes a gap record, whether its device comes back or not (case A21). Of
 * all nodes one sweeps at a time: who has the lease.
 */
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { Store } from '@sealwire/store/port';
import { ticks, type WheelEntry } from '../time/timer-wheel.ts';

const LEASE = new TextEncoder().encode('lease: expire mailboxes');
/** Mailboxes that one call of the store empties. */
const AT_ONCE = 100;

export class Expiry implements WheelEntry {
  slot = -1;

  constructor(
    private readonly store: Pick<Store, 'mailboxes' | 'once'>,
    private readonly settings: { readonly expireEveryMs: number; readonly mailbox: { readonly lifeMs: number } },
    private readonly now: () => number,
    private readonly metrics: Pick<Metrics, 'unhandledErrors'>,
    private readonly log: Log,
  ) {}

  due(tick: number): number {
    const { expireEveryMs } = this.settings;
    this.sweep().then(
      (count) => {
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
    const { expireEveryMs, mailbox } = this.settings;
    const now = this.now();
    // Until just before this node's own next time.
    if (!(await this.store.once.take(LEASE, now + 0.9 * expireEveryMs, now))) return 0;
    let expired = 0;
    for (let some = -1; some !== 0; expired += some)
      some = await this.store.mailboxes.expire(now - mailbox.lifeMs, AT_ONCE);
    return expired;
  }
}
