/** SIGTERM and SIGINT: the first one drains, a second one ends the process at once. */
import type { EventEmitter } from 'node:events';
import type { Log } from './log.ts';

export interface ShutdownOptions {
  /** Resolves when everything has ended. */
  readonly stop: () => Promise<void>;
  readonly log: Log;
  /** `process`; a plain emitter in tests. */
  readonly signals: EventEmitter;
  readonly exit: (code: number) => void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export function onShutdown({ stop, log, signals, exit }: ShutdownOptions): void {
  let stopping = false;
  const heard = (signal: string) => {
    if (stopping) {
      log.warn('ended-at-once', { signal });
      exit(1);
      return;
    }
    stopping = true;
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
