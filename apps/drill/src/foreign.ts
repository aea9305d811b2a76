/** Somebody's deployment: clients use it, and nothing of it is harmed. */
import { WellKnown } from '@sealwire/wire/http';
import type { Deployment } from './cluster/deployment.ts';

const PATIENCE_MS = 10_000;

export function foreign(origin: string): Deployment {
  return {
    origin,
    isOurs: false,
    relays: [],
    directories: [],
    apis: [],
    start: () => isThere(origin),
    stop: async () => {},
  };
}

/** Rejects with an `Error` of one line: whoever mistypes an address must not wait for clients that try for ever. */
async function isThere(origin: string): Promise<void> {
  let reason: string;
  try {
    const response = await fetch(`${origin}/.well-known/sealwire`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.ok && WellKnown.safeParse(await response.json()).success) return;
    reason = `status ${response.status}`;
  } catch (error) {
    const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
    reason = cause?.code ?? cause?.message ?? message;
  }
  throw new Error(`--against: ${origin} does not answer as a Sealwire server (${reason}): check the address`);
}
