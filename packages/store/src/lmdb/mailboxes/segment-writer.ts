/** What a checkpoint does to the segments of one mailbox. Inside a transaction of LMDB only. */
import type { Db } from '../environment.ts';
import {
  type DamagedEntry,
  encodeSegment,
  entriesOf,
  NO_TIME,
  SEGMENT_BYTES,
  SEGMENT_MESSAGES,
  type SegmentEntry,
  type SegmentMail,
  segmentKey,
} from './segment.ts';
import { readSegment, segmentsAfter } from './settled-mails.ts';

/** CRC-32 of no bytes. */
const CHECK_OF_NOTHING = 0;

/** Cuts these messages, ascending, into segments. */
export function writeSegments(db: Db, prefix: Buffer, mails: readonly SegmentMail[]): void {
  for (let from = 0; from < mails.length; ) {
    let bytes = 0;
    let end = from;
    do bytes += (mails[end++] as SegmentMail).size;
    while (
      end < mails.length &&
      end - from < SEGMENT_MESSAGES &&
      bytes + (mails[end] as SegmentMail).size <= SEGMENT_BYTES
    );
    writeSegment(db, prefix, mails.slice(from, end));
    from = end;
  }
}

/** The segments that are acknowledged as a whole go. */
export function removeAcknowledged(db: Db, prefix: Buffer, floor: number): void {
  for (const segment of segmentsAfter(db, prefix, 0)) {
    if (segment.last > floor) break;
    db.removeSync(segmentKey(prefix, segment));
  }
}

/**
 * Messages of these numbers go: each segment that has one is written anew, without what is
 * acknowledged, or goes.
 */
export function removeLost(db: Db, prefix: Buffer, floor: number, lost: ReadonlySet<number>): void {
  if (lost.size === 0) return;
  const seqs = [...lost].sort((a, b) => a - b);
  let next = 0;
  for (const segment of segmentsAfter(db, prefix, (seqs[0] as number) - 1)) {
    while (next < seqs.length && (seqs[next] as number) < segment.first) next++;
    if (next === seqs.length) break;
    if ((seqs[next] as number) > segment.last) continue;
    const value = readSegment(db, prefix, segment);
    const left = [...entriesOf(segment, value)].filter(({ seq }) => seq > floor && !lost.has(seq));
    if (left.length === segment.count) continue;
    db.removeSync(segmentKey(prefix, segment));
    if (left.length > 0)
      writeSegment(
        db,
        prefix,
        left.map((entry) => writtenBefore(entry, value)),
      );
  }
}

/** As it is in `value`: who reads it next finds the damage that it has. */
function writtenBefore(entry: SegmentEntry | DamagedEntry, value: Buffer): SegmentMail {
  if (!('check' in entry))
    return { seq: entry.seq, at: NO_TIME, size: 0, account: '', copy() {}, check: CHECK_OF_NOTHING ^ 1 };
  const { offset } = entry;
  const size = Math.max(Math.min(entry.size, value.length - offset), 0);
  return { ...entry, size, copy: (target, at) => value.copy(target, at, offset, offset + size) };
}

function writeSegment(db: Db, prefix: Buffer, mails: readonly SegmentMail[]): void {
  const { segment, value } = encodeSegment(mails);
  db.putSync(segmentKey(prefix, segment), value);
}
