/** The limits of a deployment that is not ours: those of a minute are waited for, those of an hour are not. */
import { setTimeout as pause } from 'node:timers/promises';
import { ClientError } from '@sealwire/client/errors';

export const MOST_PATIENCE_MS = 60_000;

/** An answer that was no good one. */
export class Refused extends Error {
  constructor(
    /** Of the request. */
    readonly path: string,
    answer: string,
    /** The HTTP status. */
    readonly status: number,
    /** When to ask again; undefined: the same would be refused again. */
    readonly retryAfterMs: number | undefined,
  ) {
    super(`${path} answered ${status}: ${answer}`);
  }

  get isLimit(): boolean {
    return this.status === 429;
  }
}

/**
 * What a limit of a deployment refuses is tried again when it allows; rejects when that is too far away. `waits` is told before each
 * pause.
 */
export async function patiently<Answer>(
  attempt: () => Promise<Answer>,
  waits: (why: Refused, ms: number) => void = () => {},
): Promise<Answer> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const retryAfterMs = error instanceof Refused && error.isLimit ? error.retryAfterMs : undefined;
      if (retryAfterMs === undefined || retryAfterMs > MOST_PATIENCE_MS) throw error;
      waits(error as Refused, retryAfterMs);
      await pause(retryAfterMs);
    }
  }
}

/** Whether it is a limit that was in the way; of the SDK's requests, or of ours. */
export function isLimit(error: unknown): boolean {
  return error instanceof ClientError ? error.code === 'too-many-requests' : error instanceof Refused && error.isLimit;
}
