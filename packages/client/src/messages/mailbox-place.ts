/**
 * How far this device's mailbox has come (docs/spec/client.md section 6). Numbers of a mailbox are never given twice: a server whose
 * mailbox ends before the newest one that was seen has lost something, as by being restored from a backup; one that was restored by its
 * own command goes on behind all numbers, and says that something may be missing. Record `self/mailbox`.
 */
import type { CaughtUp, Deliver, Gap } from '@sealwire/wire/frames';
import type { Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const KEY = 'self/mailbox';

/**
 * Takes note of what one link delivered, in order. Answers whether the server has gone back: its mailbox ends before the newest number
 * that was seen, a number of then is on a message that is `unknown`, or it says itself that it has lost what it cannot count.
 */
export function notePlace(
  transaction: Transaction,
  deliveries: readonly (Deliver | Gap | CaughtUp)[],
  unknown: (delivery: Deliver) => boolean,
): boolean {
  const stored = transaction.get(KEY);
  const before = stored ? decodeRecord<{ seq: number }>(stored).header.seq : 0;
  let seq = before;
  let wentBack = false;
  for (const delivery of deliveries) {
    if (delivery.kind === 'deliver') {
      wentBack ||= delivery.seq <= before && unknown(delivery);
      seq = Math.max(seq, delivery.seq);
    }
    if (delivery.kind === 'gap') wentBack ||= isUncounted(delivery);
    if (delivery.kind !== 'caught-up') continue;
    wentBack ||= delivery.lastSeq < seq;
    seq = delivery.lastSeq;
  }
  if (seq !== before) transaction.set(KEY, encodeRecord({ seq }));
  return wentBack;
}

/** Of damage, and more numbers than are known to be lost. */
function isUncounted({ reason, count, fromSeq, toSeq }: Gap): boolean {
  return reason === 'damaged' && toSeq - fromSeq >= count;
}
