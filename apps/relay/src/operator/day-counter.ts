/**
 * Counts for the statistics of administrators (packages/store/src/day-figures.ts): sums of this process by day, written once a minute. A
 * process that dies loses its last minute.
 */

import { nodeCrypto } from '@sealwire/crypto/node';
import type { RandomBytes } from '@sealwire/crypto/port';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import { ActiveSketch } from '@sealwire/store/active-sketch';
import { DELAY_STEPS_MS, dayOf, foldDays, saltOf, writeDay } from '@sealwire/store/day-figures';
import type { AppendResult, Store } from '@sealwire/store/port';
import type { DeviceId } from '@sealwire/wire/ids';
import type { Sessions } from '../sockets/sessions.ts';
import { ticks, type WheelEntry } from '../time/timer-wheel.ts';

const EVERY_TICKS = ticks(60_000);
const { sha256 } = nodeCrypto();

export interface DayCounterParts {
  readonly store: Pick<Store, 'operatorRecords'>;
  readonly sessions: Pick<Sessions, 'all'>;
  readonly metrics: Pick<Metrics, 'unhandledErrors'>;
  readonly now: () => number;
  readonly random: RandomBytes;
  readonly log: Pick<Log, 'warn'>;
}

export class DayCounter implements WheelEntry {
  slot = -1;
  private day = '';
  private run = '';
  private messages = 0;
  private deliveries = 0;
  private delays: number[] = [];
  private sketch = new ActiveSketch();
  /** Not in the sketch yet: the salt of the day is in the store. */
  private arrived = new Set<DeviceId>();
  private isNew = false;
  private errorsBefore = 0;
  private writing: Promise<void> | undefined;

  constructor(private readonly parts: DayCounterParts) {}

  due(tick: number): number {
    void this.flush();
    return tick + EVERY_TICKS;
  }

  active(device: DeviceId): void {
    this.arrived.add(device);
    this.isNew = true;
  }

  /** A batch that is durable; `at`: when its oldest message was taken. */
  appended(results: readonly AppendResult[], at: number): void {
    for (const result of results) {
      if (result.status !== 'accepted') continue;
      this.messages++;
      this.deliveries += result.seqs.length - result.refused.length;
      this.isNew = true;
    }
    const late = this.parts.now() - at;
    const step = DELAY_STEPS_MS.findIndex((most) => late <= most);
    const place = step < 0 ? DELAY_STEPS_MS.length : step;
    this.delays[place] = (this.delays[place] ?? 0) + 1;
  }

  /** Resolves when what was counted is written, or the store did not take it: then with the next time. */
  flush(): Promise<void> {
    this.writing ??= this.write()
      .catch((error) => this.parts.log.warn('day-figures-failed', { error }))
      .finally(() => {
        this.writing = undefined;
      });
    return this.writing;
  }

  private async write(): Promise<void> {
    const { store, sessions, now, random } = this.parts;
    const today = dayOf(now());
    const isOver = this.day !== today && this.day !== '';
    if (this.day !== '' && this.isNew) await this.writeSums();
    if (this.day === today) return;
    this.day = today;
    // Another name for each day: a clock that is set back begins anew, and loses nothing that was written.
    this.run = Buffer.from(random(8)).toString('hex');
    if (isOver) {
      [this.messages, this.deliveries, this.delays, this.sketch] = [0, 0, [], new ActiveSketch()];
      for (const { device } of sessions.all()) this.arrived.add(device);
      this.isNew = this.arrived.size > 0;
    }
    this.errorsBefore = isOver ? await this.errorsSoFar() : 0;
    await foldDays(store, now());
    if (this.isNew) await this.writeSums();
  }

  private async writeSums(): Promise<void> {
    const { store, random } = this.parts;
    const salt = await saltOf(store, this.day, Buffer.from(random(16)).toString('hex'));
    for (const device of this.arrived) this.sketch.add(sha256(new TextEncoder().encode(`${salt} ${device}`)));
    this.arrived.clear();
    const errors = (await this.errorsSoFar()) - this.errorsBefore;
    const delays = Array.from({ length: DELAY_STEPS_MS.length + 1 }, (_, i) => this.delays[i] ?? 0);
    const { messages, deliveries } = this;
    this.isNew = false;
    try {
      await writeDay(store, this.day, this.run, { messages, deliveries, errors, delays }, this.sketch);
    } catch (error) {
      this.isNew = true;
      throw error;
    }
  }

  private async errorsSoFar(): Promise<number> {
    const { values } = await this.parts.metrics.unhandledErrors.get();
    return values.reduce((sum, { value }) => sum + value, 0);
  }
}
