/** How long a transfer waits for a link or a server that is away: pauses as those of the connection, and an end. */
import type { RandomBytes } from '@sealwire/crypto/port';
import { backOff } from '../connection/back-off.ts';
import { ClientError } from '../errors.ts';
import { pause, type Timers } from '../runtime.ts';

/** In a row, before anything has gone through: the address is wrong, or the server is not running. */
const FIRST_FAILURES = 3;
/** In a row, later: about ten minutes. */
const LATER_FAILURES = 40;
/** What a server may ask for and still be waited for. */
const LONGEST_PAUSE_MS = 60_000;

export interface PatienceParts {
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly signal?: AbortSignal | undefined;
}

export class Patience {
  readonly #parts: PatienceParts;
  #failures = 0;
  #most: number;

  /** `begun`: something has gone through already. */
  constructor(parts: PatienceParts, begun: boolean) {
    this.#parts = parts;
    this.#most = begun ? LATER_FAILURES : FIRST_FAILURES;
  }

  /** Something went through. */
  progressed(): void {
    this.#failures = 0;
    this.#most = LATER_FAILURES;
  }

  /** Waits until it is time to try again. Throws `error` when that is of no use, or was tried often enough. */
  async failed(error: unknown): Promise<void> {
    if (!(error instanceof ClientError && passes(error))) throw error;
    this.#failures++;
    const most = error.code === 'unreachable' || error.code === 'unavailable' ? this.#most : FIRST_FAILURES;
    if (this.#failures >= most) throw error;
    const { timers, random, signal } = this.#parts;
    await pause(timers, backOff(this.#failures, random, error.retryAfterMs), signal);
  }

  /** `work` until it does not fail, or fails for good. */
  async until<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        await this.failed(error);
      }
    }
  }
}

/** A server without room for files has none in a minute either. */
function passes({ code, retryable, retryAfterMs = 0 }: ClientError): boolean {
  return retryable && code !== 'storage-full' && retryAfterMs <= LONGEST_PAUSE_MS;
}
