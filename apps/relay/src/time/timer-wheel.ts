/**
 * One timer for all sockets (performance, trick 8): each socket stands in one slot and says, when its slot comes round, when to come
 * again. Time is counted in ticks that were really run: a stalled process or a jumping clock does not make every peer look dead.
 */
import type { Timers } from './timers.ts';

export const TICK_MS = 250;

const SLOTS = 512; // 128 s; what is due later comes round early and asks again

export interface WheelEntry {
  /** Where the entry stands; -1: nowhere. Kept by the wheel. */
  slot: number;
  /** Does what is due at tick `tick`, and answers the tick at which to be called again; 0: never. */
  due(tick: number): number;
}

export class TimerWheel {
  /** Ticks run so far: a small integer for years. */
  tick = 0;
  private readonly slots: Set<WheelEntry>[] = Array.from({ length: SLOTS }, () => new Set());
  private stopTimer: () => void;

  constructor(private readonly timers: Timers) {
    this.stopTimer = timers.after(TICK_MS, this.turn);
  }

  /** Puts `entry` where tick `at` will find it, wherever it stood. */
  set(entry: WheelEntry, at: number): void {
    this.remove(entry);
    const ahead = Math.min(Math.max(at - this.tick, 1), SLOTS - 1);
    entry.slot = (this.tick + ahead) % SLOTS;
    this.slots[entry.slot]?.add(entry);
  }

  remove(entry: WheelEntry): void {
    if (entry.slot >= 0) this.slots[entry.slot]?.delete(entry);
    entry.slot = -1;
  }

  stop(): void {
    this.stopTimer();
    for (const slot of this.slots) slot.clear();
  }

  private readonly turn = (): void => {
    this.tick++;
    this.stopTimer = this.timers.after(TICK_MS, this.turn);
    // `set` never puts an entry into the slot of the running tick, so this set only shrinks while it is walked.
    for (const entry of this.slots[this.tick % SLOTS] ?? []) {
      const next = entry.due(this.tick);
      if (next > 0) this.set(entry, next);
      else this.remove(entry);
    }
  };
}

/** Whole ticks that cover `ms`. */
export function ticks(ms: number): number {
  return Math.ceil(ms / TICK_MS);
}
