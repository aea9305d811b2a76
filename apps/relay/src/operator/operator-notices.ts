/**
 * What the operator tells everybody (docs/adr/0063-administration.md): to each socket when it is let in, and to all when there is a new
 * notice. The store is asked once a minute, too, for what the bus has lost.
 */
import type { Log } from '@sealwire/service/log';
import { type Notice, readNotices } from '@sealwire/store/operator';
import type { Store } from '@sealwire/store/port';
import { encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { Session } from '../sockets/session.ts';
import type { Sessions } from '../sockets/sessions.ts';
import { ticks, type WheelEntry } from '../time/timer-wheel.ts';

const EVERY_TICKS = ticks(60_000);

export class OperatorNotices implements WheelEntry {
  slot = -1;
  private notices: readonly Notice[] = [];

  constructor(
    private readonly store: Pick<Store, 'operatorRecords'>,
    private readonly sessions: Pick<Sessions, 'all'>,
    private readonly now: () => number,
    private readonly log: Pick<Log, 'warn'>,
  ) {}

  due(tick: number): number {
    void this.refresh();
    return tick + EVERY_TICKS;
  }

  /** Those that it did not know are told to all. Never rejects: the next time is soon. */
  async refresh(): Promise<void> {
    try {
      const read = await readNotices(this.store, this.now());
      // Only now: another refresh may have told some of them meanwhile.
      const known = new Set(this.notices.map(({ id }) => id));
      this.notices = read;
      for (const notice of read.filter(({ id }) => !known.has(id)))
        for (const session of this.sessions.all()) tell(session, notice);
    } catch (error) {
      this.log.warn('notices-failed', { error });
    }
  }

  /** A socket that was let in just now. */
  greet(session: Pick<Session, 'writer'>): void {
    const now = this.now();
    for (const notice of this.notices) if (notice.until > now) tell(session, notice);
  }
}

function tell({ writer }: Pick<Session, 'writer'>, { id, text, at, until }: Notice): void {
  writer.frame(encodeServerFrame({ kind: 'server-notice', id, text, at, until }));
}
