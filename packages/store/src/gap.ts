/** How losses of one mailbox add up until its device acknowledges them: one record, so that a long absence costs a constant. */
import type { GapRecord } from './port.ts';

/**
 * Counts add, the range spans both, the reason is the later loss's (`later`): but damage is not
 * told as something else, because the operator has to do with it.
 */
export function mergeGaps(earlier: GapRecord | undefined, later: GapRecord | undefined): GapRecord | undefined {
  if (!earlier || !later) return earlier ?? later;
  return {
    count: earlier.count + later.count,
    fromSeq: Math.min(earlier.fromSeq, later.fromSeq),
    toSeq: Math.max(earlier.toSeq, later.toSeq),
    reason: earlier.reason === 'damaged' ? 'damaged' : later.reason,
  };
}

/** The loss of the one message `seq`. */
export function gapOf(seq: number, reason: GapRecord['reason']): GapRecord {
  return { count: 1, fromSeq: seq, toSeq: seq, reason };
}
