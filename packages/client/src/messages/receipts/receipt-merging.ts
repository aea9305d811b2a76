/**
 * What others tell of our messages becomes one event of the inbox for each of their devices, until the application reads it: whoever sends
 * and never reads must not find its inbox full of receipts.
 */
import type { IncomingEvent, ReceiptEvent } from '../../events.ts';

/** As many as a conversation has unconfirmed ones. */
const IDS = 128;
const KINDS: readonly IncomingEvent['kind'][] = ['delivered', 'displayed', 'not-delivered'];

/** Events of one group become one; undefined: this one stays by itself. */
export function groupOf(event: IncomingEvent): string | undefined {
  if (!isReceipt(event)) return undefined;
  return `${event.kind} ${event.device} ${event.to}`;
}

/** Of one group, `earlier` in the inbox. */
export function merged(earlier: IncomingEvent, later: IncomingEvent): ReceiptEvent {
  if (!isReceipt(earlier) || !isReceipt(later)) throw new TypeError('only receipts become one');
  return { ...later, ids: [...new Set([...earlier.ids, ...later.ids])].slice(-IDS) };
}

function isReceipt(event: IncomingEvent): event is ReceiptEvent {
  return KINDS.includes(event.kind);
}
