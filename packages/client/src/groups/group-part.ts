/**
 * What every message of a user says of its group's log (docs/spec/groups.md section 6): the heads, and the newest events unless this device has
 * said the same before. Table `spoken`, key `spoken/GROUP`: the heads that it named last.
 */
import { encodeBase64url } from '@sealwire/wire/base64url';
import { encodeGroupEvents, type SignedGroupEvent } from '@sealwire/wire/group-event';
import { encodeGroupNews, GROUP_HEADS } from '@sealwire/wire/group-news';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import type { Group } from './group.ts';

/** Of the events: three or four. Who lacks more asks for it. */
const EVENTS_BYTES = 1_024;
/** An event with its signature, beside its bytes. */
const OVERHEAD = 8;
const NO_BYTES = new Uint8Array(0);

/** `GroupNews`, encoded. */
export function partOf(records: Records, { address, log }: Group): Uint8Array {
  const heads = log.heads.slice(0, GROUP_HEADS);
  const isSaid = spokenIn(records, address) === textOf(heads);
  const events: SignedGroupEvent[] = [];
  let bytes = 0;
  for (const { signed } of isSaid ? [] : log.events.toReversed()) {
    bytes += signed.event.length + signed.signature.length + OVERHEAD;
    if (bytes > EVENTS_BYTES) break;
    events.unshift(signed);
  }
  return encodeGroupNews({ group: NO_BYTES, heads, events: encodeGroupEvents(events), asks: false });
}

/** A message with `partOf` is encrypted, in `transaction`. */
export function partIsSaid(transaction: Transaction, { address, log }: Group): void {
  const heads = textOf(log.heads.slice(0, GROUP_HEADS));
  if (spokenIn(transaction, address) !== heads) transaction.set(keyOf(address), encodeRecord({ heads }));
}

const keyOf = (group: AccountAddress) => `spoken/${group}`;

function spokenIn(records: Records, group: AccountAddress): string | undefined {
  const stored = records.get(keyOf(group));
  return stored && decodeRecord<{ heads: string }>(stored).header.heads;
}

function textOf(heads: readonly Uint8Array[]): string {
  return heads.map(encodeBase64url).join(' ');
}
