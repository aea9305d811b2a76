/** How losses of one mailbox add up until its device acknowledges them: one record, so that a long absence costs a constant. */
import type { GapRecord } from './port.ts';

/**
 * What says most comes last: age takes what it takes, a full mailbox may be somebody's doing, and
 * damage is the operator's to look after.
 */
const REASONS: readonly GapRecord['reason'][] = ['expired', 'trimmed', 'damaged'];

/** Counts add, the range spans both, the reason is the one that says more. */
export function mergeGaps(earlier: GapRecord | undefined, later: GapRecord | undefined): GapRecord | undefined {
  if (!earlier || !later) return earlier ?? later;
  return {
    count: earlier.count + later.count,
    fromSeq: Math.min(earlier.fromSeq, later.fromSeq),
    toSeq: Math.max(earlier.toSeq, later.toSeq),
    reason: REASONS.indexOf(earlier.reason) > REASONS.indexOf(later.reason) ? earlier.reason : later.reason,
  };
}

/** The loss of the one message `seq`. */
export function gapOf(seq: number, reason: GapRecord['reason']): GapRecord {
  return { count: 1, fromSeq: seq, toSeq: seq, reason };
}
