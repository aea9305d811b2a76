/**
 * The time by which mail expires: the clock, as far as it can be believed
 * (docs/adr/0029-mail-outlives-a-wrong-clock.md). Forward it goes at most twice as fast as time really
 * passes, so that no clock, however wrong, takes more than half of a message's life; back it goes with
 * the clock. What is told to people and programs is the plain clock.
 */
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { ExpiryTime } from '@sealwire/store/port';
import { TICK_MS, ticks, type WheelEntry } from '../time/timer-wheel.ts';

export const LOOK_EVERY_MS = 60_000;
/** No server of this kind ran before: a clock that says so has not been set. */
const EARLIEST = Date.UTC(2026, 0, 1);
/** Beyond, the operator is told. */
const TOLD_DISTANCE_MS = 24 * 60 * 60_000;
const TOLD_JUMP_MS = 60_000;
/** Of a message's life, what it may lose because it was taken while the clock was behind. */
const SMALL_PART = 1 / 40;

export interface MailClockSettings {
  readonly expireEveryMs: number;
  readonly mailbox: { readonly lifeMs: number };
}

export class MailClock implements WheelEntry {
  slot = -1;
  /** ms since 1970, as the store has it; undefined: not known, and nothing expires. */
  private time: number | undefined;
  /**
   * The same at the look before. What is taken is not dated back before every node has looked, lest
   * one that goes by the later time loses it.
   */
  private before: number | undefined;
  private told: { readonly at: number; readonly tick: number };
  private isDistanceTold = false;

  constructor(
    private readonly store: ExpiryTime,
    private readonly settings: MailClockSettings,
    private readonly now: () => number,
    private readonly metrics: Pick<Metrics, 'mailClockLead' | 'unhandledErrors'>,
    private readonly log: Log,
  ) {
    this.told = { at: now(), tick: 0 };
  }

  /** What a message that is taken now is dated (ms): now, unless the clock is so far behind that it would expire early. */
  stamp(): number {
    const now = this.now();
    const newest = Math.max(this.time ?? 0, this.before ?? 0);
    return now < newest - this.settings.mailbox.lifeMs * SMALL_PART ? newest : now;
  }

  /** What was taken before this (ms) has expired. */
  horizon(): number {
    if (this.time === undefined) return 0;
    return Math.min(this.time, this.now()) - this.settings.mailbox.lifeMs;
  }

  due(tick: number): number {
    this.tellJump(tick);
    this.look().catch((error) => {
      this.metrics.unhandledErrors.inc({ where: 'mail-clock' });
      this.log.warn('mail-clock-failed', { error });
    });
    return tick + ticks(LOOK_EVERY_MS);
  }

  /** What the store says, corrected if the clock is behind that. Rejects with `StoreError`. */
  async look(): Promise<void> {
    const noted = await this.store.read();
    const now = this.now();
    if (noted !== undefined) this.tellDistance(now - noted);
    const time = now < EARLIEST ? (noted ?? EARLIEST) : Math.min(now, noted ?? now);
    // Written first: no node goes by what others cannot know.
    if (time !== noted) await this.store.write(time);
    this.before = this.time;
    this.time = time;
    this.metrics.mailClockLead.set(Math.max(0, now - time) / 1_000);
  }

  /** A node that sweeps brings the time forward. Rejects with `StoreError`. */
  async advance(): Promise<void> {
    const now = this.now();
    const noted = await this.store.read();
    if (noted === undefined || now <= noted) return;
    const time = Math.min(now, noted + 2 * this.settings.expireEveryMs);
    await this.store.write(time);
    this.time = time;
  }

  /** The clock, against the time that passed by the wheel. */
  private tellJump(tick: number): void {
    const now = this.now();
    const jump = now - this.told.at - (tick - this.told.tick) * TICK_MS;
    this.told = { at: now, tick };
    if (Math.abs(jump) > TOLD_JUMP_MS) this.log.warn('clock-jumped', { durationMs: jump });
  }

  private tellDistance(aheadMs: number): void {
    const isFar = Math.abs(aheadMs) > TOLD_DISTANCE_MS;
    if (isFar && !this.isDistanceTold) {
      if (aheadMs > 0)
        this.log.warn('clock-leads', {
          durationMs: aheadMs,
          reason:
            'it jumped, or this server was off: mail lives longer until that is made up for; if the clock is wrong, set it',
        });
      else
        this.log.warn('clock-behind', {
          durationMs: -aheadMs,
          reason: 'it went back, or was ahead before: nothing is lost by that; if the clock is wrong, set it',
        });
    }
    this.isDistanceTold = isFar;
  }
}
