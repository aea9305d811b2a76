/**
 * What the files of the log have when the store is opened: the chain of records, and whether some of
 * them are missing (docs/adr/0023-damage-is-told.md).
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { DurableMark } from './durable-mark.ts';
import { type LogEntry, partsOf, readPart, seqOf } from './log-record.ts';
import type { Place, RingFile, RingRecord } from './ring-file.ts';
import type { RingState } from './ring-state.ts';

/** What one commit said. */
export interface CommitRecord {
  readonly lsn: number;
  readonly parts: readonly Buffer[];
  /** All that it speaks of, some more than once. */
  readonly devices: readonly DeviceId[];
  /** Where it ends. */
  readonly end: Place;
}

export interface LoadedLog {
  /** Ascending. */
  readonly records: readonly CommitRecord[];
  /** Where the next one begins. */
  readonly end: Place;
  /** Of the next one. */
  readonly lsn: number;
  readonly highestSeq: number;
  /** Records are missing before the records of these LSNs; infinite: after all of them. */
  readonly missingBefore: readonly number[];
}

/** What is behind a damaged record is loaded, too. */
export function loadLog(file: RingFile, mark: DurableMark, ring: RingState): LoadedLog {
  const records: CommitRecord[] = [];
  const missingBefore: number[] = [];
  let { start: end, highestSeq } = ring;
  const load = ({ lsn, payload, next }: RingRecord): void => {
    const parts = partsOf(payload);
    const devices = new Set<DeviceId>();
    for (const part of parts)
      readPart(part, lsn, (device, entry) => {
        devices.add(device);
        if (entry.part) highestSeq = Math.max(highestSeq, seqOf(entry.part, entry.row));
      });
    records.push({ lsn, parts, devices: [...devices], end: next });
    end = next;
  };

  for (let next = file.read(end); next; next = file.read(end)) load(next);
  for (const record of file.scan(end.previous)) {
    const { previous, seal } = record.previous;
    if (previous !== end.previous || seal !== end.seal) missingBefore.push(record.lsn);
    load(record);
  }
  const marked = mark.read(ring.id);
  const expected = Math.max(marked ?? 0, ring.logged);
  const isLost = ring.isOpen && marked === undefined && file.isEmpty;
  if (isLost || expected > end.previous) missingBefore.push(Number.POSITIVE_INFINITY);
  return { records, end, lsn: Math.max(ring.newest, end.previous, expected) + 1, highestSeq, missingBefore };
}

/** The entries of one mailbox, and in their places that something is missing. */
export function withMissing(
  entries: readonly LogEntry[],
  { lsn, missingBefore }: Pick<LoadedLog, 'lsn' | 'missingBefore'>,
): readonly LogEntry[] {
  if (missingBefore.length === 0) return entries;
  const all = [...entries];
  for (const before of missingBefore) {
    const at = all.findIndex((entry) => entry.lsn >= before);
    all.splice(at === -1 ? all.length : at, 0, { lsn, change: { what: 'missing' } });
  }
  return all;
}
