/**
 * Against floods of the log: of one event so many lines in ten seconds, then none until the ten seconds are over, and a line that says how
 * many there were. An event is a fixed text of ours, so there are few; beyond a bound of them all others share one budget.
 */

export interface LeftOut {
  readonly event: string;
  readonly count: number;
  /** From the first line of the window to the telling. */
  readonly durationMs: number;
}

const WINDOW_MS = 10_000;
const MOST_EVENTS = 1_000;
const OTHERS = 'other events';

interface Window {
  since: number;
  lines: number;
  leftOut: number;
}

export class FloodGate {
  private readonly windows = new Map<string, Window>();

  /** `most`: lines of an event in a window; 0: no limit. `tell` hears what was left out, once a window. */
  constructor(
    private readonly most: number,
    private readonly now: () => number,
    private readonly tell: (leftOut: LeftOut) => void,
  ) {}

  /** Whether a line of this event is to be written. */
  lets(event: string): boolean {
    if (this.most === 0) return true;
    const name = this.windows.has(event) || this.windows.size < MOST_EVENTS ? event : OTHERS;
    const window = this.current(name);
    if (window.lines < this.most) {
      window.lines++;
      return true;
    }
    window.leftOut++;
    return false;
  }

  /** Tells of all that was left out and not told. */
  tellAll(): void {
    for (const [event, window] of this.windows) this.tellOf(event, window);
  }

  private current(event: string): Window {
    const now = this.now();
    let window = this.windows.get(event);
    if (!window) {
      window = { since: now, lines: 0, leftOut: 0 };
      this.windows.set(event, window);
    }
    const age = now - window.since;
    // One of the future: the clock was ahead.
    if (age >= 0 && age < WINDOW_MS) return window;
    this.tellOf(event, window);
    window.since = now;
    window.lines = 0;
    return window;
  }

  private tellOf(event: string, window: Window): void {
    const { leftOut: count, since } = window;
    if (count === 0) return;
    window.leftOut = 0;
    this.tell({ event, count, durationMs: Math.max(0, this.now() - since) });
  }
}
