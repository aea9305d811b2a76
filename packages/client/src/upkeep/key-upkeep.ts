/** Runs the engines' daily work while connected: at once, and then often enough not to miss the day (lime-protocol section 10). */

import type { EngineContext } from '../engines/engine.ts';
import type { Engines } from '../engines/engines.ts';
import { asClientError } from '../errors.ts';
import type { Timers } from '../runtime.ts';

const LOOK_EVERY_MS = 60 * 60_000;

export interface KeyUpkeepOptions {
  readonly engines: Engines;
  readonly context: EngineContext;
  readonly timers: Timers;
  readonly trace: (name: string, details: Record<string, string>) => void;
}

export class KeyUpkeep {
  readonly #options: KeyUpkeepOptions;
  #cancel: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: KeyUpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#running = this.#running.then(() => this.#look());
    this.#cancel = this.#options.timers.after(LOOK_EVERY_MS, () => this.start());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Resolves when nothing is under way. */
  async done(): Promise<void> {
    await this.#running;
  }

  /** A failure waits for the next look: keys of yesterday still work. */
  async #look(): Promise<void> {
    for (const { id, keys, context } of this.#options.engines.keyed(this.#options.context)) {
      try {
        await keys.upkeep(context);
      } catch (error) {
        this.#options.trace('key-upkeep-failed', {
          engine: id,
          code: asClientError(error, 'engine-failed').code,
        });
      }
    }
  }
}
