/** The ports of the servers as their mains hand them out: measured, and traced where traces are made. */
import type { Metrics } from './metrics.ts';
import { observedCalls } from './observed-calls.ts';
import type { Tracing } from './tracing.ts';

/** Names of calls: `mailboxes.append`, `probe`. */
export function observedStore<S extends object>(
  store: S,
  metrics: Pick<Metrics, 'storeCallTime' | 'storeErrors'>,
  tracing?: Tracing,
): S {
  return observedCalls(store, {
    time: metrics.storeCallTime,
    errors: metrics.storeErrors,
    answers: ['conflict', 'limit', 'not-found'],
    port: 'store',
    tracing,
  });
}

/** Names of calls: `begin`, `way.writePart`. */
export function observedBlobs<B extends object>(
  blobs: B,
  metrics: Pick<Metrics, 'blobCallTime' | 'blobErrors'>,
  tracing?: Tracing,
): B {
  return observedCalls(blobs, {
    time: metrics.blobCallTime,
    errors: metrics.blobErrors,
    answers: ['incomplete', 'not-found', 'refused'],
    port: 'blobs',
    tracing,
  });
}
