/** The one way time passes in the relay, so that tests can let it pass. */

export interface Timers {
  /** Calls `run` once, `delayMs` from now; the answer takes it back. */
  after(delayMs: number, run: () => void): () => void;
}

/** Node's timers; none of them keeps the process alive. */
export const nodeTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
