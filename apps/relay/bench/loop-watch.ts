/** What held the event loop of the measured process, and how long the collector did. */
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

const RESOLUTION_MS = 1;

export interface Pauses {
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
}

export interface Watched {
  /** The longest time for which a timer that was due did not run. */
  readonly stallMs: number;
  readonly young: Pauses;
  readonly full: Pauses;
}

/** Wakes the process each millisecond: what it costs is not measured while it runs. */
export class LoopWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #pauses: { kind: number; ms: number }[] = [];
  readonly #observer = new PerformanceObserver((list) => this.#note(list.getEntries()));

  start(): void {
    this.#pauses = [];
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#delay.reset();
    this.#delay.enable();
  }

  stop(): Watched {
    this.#delay.disable();
    this.#note(this.#observer.takeRecords());
    this.#observer.disconnect();
    return {
      stallMs: Math.max(0, this.#delay.max / 1e6 - RESOLUTION_MS),
      young: this.#of(constants.NODE_PERFORMANCE_GC_MINOR),
      full: this.#of(constants.NODE_PERFORMANCE_GC_MAJOR),
    };
  }

  #note(entries: readonly { detail?: unknown; duration: number }[]): void {
    for (const { detail, duration } of entries)
      this.#pauses.push({ kind: (detail as { kind: number }).kind, ms: duration });
  }

  #of(kind: number): Pauses {
    const times = this.#pauses.filter((pause) => pause.kind === kind).map(({ ms }) => ms);
    return {
      count: times.length,
      totalMs: times.reduce((sum, ms) => sum + ms, 0),
      maxMs: Math.max(0, ...times),
    };
  }
}
