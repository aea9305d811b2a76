/** Counters of this process, by the given clock. A clock that was set back ends no window late. */
import type { Charge, Counters, Standing, Taking } from './counters.ts';

interface Window {
  readonly from: number;
  taken: number;
}

/** More than one: the ended are fewer after each new key. */
const FORGET_AT_ONCE = 2;

export class MemoryCounters implements Counters {
  readonly reach = 'process';
  /** By counter; in the order of their beginning: the first are the first to end. */
  private readonly counters = new Map<string, Map<string, Window>>();

  /** `now`: ms since 1970 */
  constructor(private readonly now: () => number) {}

  /** Keys remembered: at most those of the last window and of this one of each counter. */
  get size(): number {
    let size = 0;
    for (const windows of this.counters.values()) size += windows.size;
    return size;
  }

  async take(_slot: string, charges: readonly Charge[]): Promise<Taking> {
    const refusedAt = this.refusedAt(charges);
    if (refusedAt === undefined) for (const charge of charges) this.add(charge);
    return { refusedAt, standings: charges.map((charge) => this.standing(charge)) };
  }

  async look(_slot: string, charges: readonly Charge[]): Promise<Taking> {
    return { refusedAt: this.refusedAt(charges), standings: charges.map((charge) => this.standing(charge)) };
  }

  async giveBack(_slot: string, charges: readonly Charge[]): Promise<void> {
    for (const charge of charges) {
      const window = this.current(charge);
      if (!window) continue;
      window.taken = Math.max(0, window.taken - charge.points);
      if (window.taken === 0) this.counters.get(charge.counter)!.delete(charge.key);
    }
  }

  async close(): Promise<void> {}

  private refusedAt(charges: readonly Charge[]): number | undefined {
    for (let i = 0; i < charges.length; i++) {
      const charge = charges[i]!;
      const { points, limit, reserve } = charge;
      const isReserved = reserve !== undefined && (this.current(charges[reserve.untakenAt]!)?.taken ?? 0) > 0;
      if ((this.current(charge)?.taken ?? 0) + points > limit - (isReserved ? reserve.points : 0)) return i;
    }
    return undefined;
  }

  private add(charge: Charge): void {
    const window = this.current(charge) ?? this.begin(charge);
    window.taken += charge.points;
  }

  private standing(charge: Charge): Standing {
    const window = this.current(charge);
    if (!window) return { taken: 0, leftMs: charge.windowMs };
    return { taken: window.taken, leftMs: window.from + charge.windowMs - this.now() };
  }

  private current({ counter, key, windowMs }: Charge): Window | undefined {
    const window = this.counters.get(counter)?.get(key);
    return window && this.isOpen(window, windowMs) ? window : undefined;
  }

  private begin({ counter, key, windowMs }: Charge): Window {
    const windows = this.counters.get(counter) ?? new Map<string, Window>();
    this.counters.set(counter, windows);
    let left = FORGET_AT_ONCE;
    for (const [oldest, window] of windows) {
      if (left-- === 0 || this.isOpen(window, windowMs)) break;
      windows.delete(oldest);
    }
    const window = { from: this.now(), taken: 0 };
    // Not in the place of an ended one: the order is that of beginnings.
    windows.delete(key);
    windows.set(key, window);
    return window;
  }

  /** One that begins in the future is of a clock since set back. */
  private isOpen({ from }: Window, windowMs: number): boolean {
    const now = this.now();
    return from <= now && now < from + windowMs;
  }
}
