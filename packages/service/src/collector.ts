/** How V8's garbage collector is set in a process that runs a relay. */
import { setFlagsFromString } from 'node:v8';

export const COLLECTOR_FLAG = '--no-allocation-site-pretenuring';

/**
 * Called by a main before it opens anything; it holds for the whole process.
 *
 * V8 learns which places in the code make objects that live long, and makes later ones of that place among the old at once. A burst soon
 * after the start, hundreds of messages that wait for the same write, teaches it so about messages. From then on each of them, forgotten
 * after milliseconds, keeps the memory of its socket's read until the whole heap is collected, which then happens several times a second.
 */
export function tuneCollector(): void {
  setFlagsFromString(COLLECTOR_FLAG);
}
