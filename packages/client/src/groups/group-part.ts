/** What every message of a user says of its group's log: the heads, and the newest events (docs/spec/groups.md section 6). */
import { GROUP_PART_BYTES } from '@sealwire/wire/envelope';
import { encodeGroupEvents, type SignedGroupEvent } from '@sealwire/wire/group-event';
import { encodeGroupNews, GROUP_HEADS } from '@sealwire/wire/group-news';
import type { Group } from './group-store.ts';

/** Of the events, so that 32 heads and all lengths have room beside them. */
const EVENTS_BYTES = GROUP_PART_BYTES - 1_280;
/** An event with its signature, beside its bytes. */
const OVERHEAD = 8;
const NO_BYTES = new Uint8Array(0);

/** `GroupNews`, encoded. */
export function partOf({ log }: Group): Uint8Array {
  const events: SignedGroupEvent[] = [];
  let bytes = 0;
  for (const { signed } of log.events.toReversed()) {
    bytes += signed.event.length + signed.signature.length + OVERHEAD;
    if (bytes > EVENTS_BYTES) break;
    events.unshift(signed);
  }
  const heads = log.heads.slice(0, GROUP_HEADS);
  return encodeGroupNews({ group: NO_BYTES, heads, events: encodeGroupEvents(events), asks: false });
}
