/** SIGTERM and SIGINT: the first one drains, a second one ends the process at once. */
import type { EventEmitter } from 'node:events';
import type { Log } from '../observe/log.ts';

export interface ShutdownOptions {
  /** Resolves when everything has ended. */
  readonly stop: () => Promise<void>;
  readonly log: Log;
  /** `process`; a plain emitter in tests. */
  readonly signals: EventEmitter;
  readonly exit: (code: number) => void;
  /** Milliseconds. With it, the echo of a signal is no second one. */
  readonly now?: () => number;
}

/** `npm start` passes on a Ctrl-C that the terminal has sent to the whole process group already: one key, two signals. */
const ECHO_MS = 150;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export function onShutdown({ stop, log, signals, exit, now }: ShutdownOptions): void {
  let stopping: { readonly signal: string; readonly at: number } | undefined;
  const heard = (signal: string) => {
    const at = now?.() ?? Number.POSITIVE_INFINITY;
    if (stopping) {
      const sinceMs = at - stopping.at;
      if (signal === stopping.signal && sinceMs >= 0 && sinceMs < ECHO_MS) return;
      log.warn('ended-at-once', { signal });
      exit(1);
      return;
    }
    stopping = { signal, at };
    log.info('draining', { signal });
    stop().then(
      () => {
        log.info('stopped');
        exit(0);
      },
      (error: unknown) => {
        log.error('stop-failed', { error });
        exit(1);
      },
    );
  };
  for (const signal of SIGNALS) signals.on(signal, () => heard(signal));
}
