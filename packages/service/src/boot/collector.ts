/** How V8's garbage collector is set in a process that runs a relay. */
import { setFlagsFromString } from 'node:v8';

export const COLLECTOR_FLAGS = ['--no-allocation-site-pretenuring', '--heap-growing-percent=200'] as const;

/**
 * Called by a main before it opens anything; it holds for the whole process.
 *
 * - Pretenuring: V8 learns which places in the code make objects that live long, and makes later ones of that place among the old at once.
 *   A burst soon after the start, hundreds of messages that wait for the same write, teaches it so about messages. From then on each of them,
 *   forgotten after milliseconds, keeps the memory of its socket's read until the whole heap is collected, which then happens several times
 *   a second.
 * - Growth: the whole heap is collected when it has grown to three times what was left of it the last time, and no longer whenever it grew
 *   by a few megabytes, about once a second under load. V8 still collects earlier when it comes near the limit of the heap.
 */
export function tuneCollector(): void {
  for (const flag of COLLECTOR_FLAGS) setFlagsFromString(flag);
}
