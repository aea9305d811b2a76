/** Housekeeping of the mailboxes: what is older than its life becomes a gap record, whether its device comes back or not (case A21). */
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { Mailboxes } from '@sealwire/store/port';
import { ticks, type WheelEntry } from '../time/timer-wheel.ts';

export class Expiry implements WheelEntry {
  slot = -1;

  constructor(
    private readonly mailboxes: Pick<Mailboxes, 'expire'>,
    private readonly settings: { readonly expireEveryMs: number; readonly mailbox: { readonly lifeMs: number } },
    private readonly now: () => number,
    private readonly metrics: Pick<Metrics, 'unhandledErrors'>,
    private readonly log: Log,
  ) {}

  due(tick: number): number {
    this.mailboxes.expire(this.now(), this.settings.mailbox.lifeMs).then(
      (count) => {
        if (count > 0) this.log.info('mail-expired', { count });
      },
      (error) => {
        this.metrics.unhandledErrors.inc({ where: 'mailbox-expire' });
        this.log.warn('expire-failed', { error });
      },
    );
    return tick + ticks(this.settings.expireEveryMs);
  }
}
