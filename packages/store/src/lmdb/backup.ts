/**
 * A copy of a data folder while its process goes on: a snapshot of LMDB, and of the commit log what
 * belongs to it (docs/operations/storage.md, backup).
 *
 * The snapshot names the newest record that the log has, and a log that ends before that one is a
 * damaged one. So the log is read record by record, from before the snapshot until it is certain to
 * have begun: its file has bytes. A record that is not whole yet is not read, by its seal.
 */
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { StoreError } from '../port.ts';
import { checkDataFile, DATA_FILE } from './data-file.ts';
import { folderError, openReadOnly, type ReadOnly } from './environment.ts';
import { DurableMark, MARK_FILE } from './log/durable-mark.ts';
import { LOG_FILE, RingFile, type RingRecord } from './log/ring-file.ts';
import { type RingState, readRing } from './log/ring-state.ts';
import { MOVED_FILE, movedTo } from './moved-mark.ts';
import { type Verdict, verifyLmdbStore } from './verify.ts';

const LOG_FILES = [LOG_FILE, MARK_FILE];
/** A log that turns over while a snapshot begins is read again with the next one. */
const ATTEMPTS = 3;

/**
 * Copies the store in `path`, whether a process has it open or not, into `folder`, which is empty.
 * What was accepted before the call is in the copy. Resolves once the copy is durable, with what
 * `verify` says of it: its faults are those of the store. Rejects with `StoreError`: `not-found`
 * when there is no store, `unavailable` when it cannot be read or the copy not be written,
 * `corrupt` when it cannot be opened.
 */
export async function backupLmdbStore(path: string, folder: string): Promise<Verdict> {
  try {
    if (checkDataFile(path) === 'new')
      throw new StoreError('not-found', `there is no store in ${path}; name the data folder`);
    const source = openReadOnly(path);
    try {
      let left = ATTEMPTS;
      while (!(await copyStore(source, path, folder)) && --left > 0)
        for (const name of [DATA_FILE, ...LOG_FILES]) rmSync(join(folder, name), { force: true });
      if (left === 0) copyDamagedLog(path, folder);
      if (movedTo(path) !== undefined) copyFileSync(join(path, MOVED_FILE), join(folder, MOVED_FILE));
    } finally {
      await source.root.close();
    }
    for (const name of [DATA_FILE, ...LOG_FILES, MOVED_FILE, '.']) syncPath(join(folder, name));
    return await verifyLmdbStore(folder);
  } catch (error) {
    throw error instanceof StoreError ? error : folderError(error, folder);
  } finally {
    // Whoever opens the copy makes it anew.
    rmSync(join(folder, 'lock.mdb'), { force: true });
  }
}

/** All that there is of it, for whoever repairs the copy. */
function copyDamagedLog(path: string, folder: string): void {
  for (const name of LOG_FILES) {
    rmSync(join(folder, name), { force: true });
    if (existsSync(join(path, name))) copyFileSync(join(path, name), join(folder, name));
  }
}

/** False: the log has less than it should, or went on faster than it was read. */
async function copyStore(source: ReadOnly, path: string, folder: string): Promise<boolean> {
  source.root.resetReadTxn();
  const ring = readRing(source.journal);
  const mark = new DurableMark(join(path, MARK_FILE)).read(ring.id);
  const isLost = ring.isOpen && mark === undefined && !sizeOf(join(path, LOG_FILE));
  const records = await copySnapshot(source.root, readLog(join(path, LOG_FILE), ring), folder);
  const snapshot = openReadOnly(folder);
  const state = readRing(snapshot.journal);
  await snapshot.root.close();
  return copyLog(folder, state, records, Math.max(mark ?? 0, state.logged)) && !isLost;
}

/** The records that the log has by now, each time it is called those that came since. */
interface LogReader {
  readOn(): void;
  readonly records: readonly RingRecord[];
  close(): void;
}

function readLog(path: string, ring: RingState): LogReader {
  const file = existsSync(path) ? new RingFile(path, ring, 'reading') : undefined;
  const records: RingRecord[] = [];
  const next = () => file?.read(records.at(-1)?.next ?? ring.start);
  return {
    records,
    readOn() {
      for (let record = next(); record; record = next()) records.push(record);
    },
    close: () => file?.close(),
  };
}

/** What the log has from its start before the snapshot to its end after the snapshot. */
async function copySnapshot(root: ReadOnly['root'], log: LogReader, folder: string): Promise<readonly RingRecord[]> {
  try {
    let isOver = false;
    const copied = root.backup(folder, true).finally(() => {
      isOver = true;
    });
    // Awaited below; a failure may come before.
    copied.catch(() => {});
    const file = join(folder, DATA_FILE);
    do {
      log.readOn();
      await setImmediate();
    } while (!isOver && !sizeOf(file));
    log.readOn();
    await copied;
    return log.records;
  } finally {
    log.close();
  }
}

/** Beside the snapshot in `folder`; false: it has not all up to `expected`. */
function copyLog(folder: string, ring: RingState, records: readonly RingRecord[], expected: number): boolean {
  const fitting = fittingOf(records, ring);
  const newest = fitting.at(-1)?.lsn ?? ring.start.previous;
  const log = new RingFile(join(folder, LOG_FILE), ring);
  const mark = new DurableMark(join(folder, MARK_FILE));
  try {
    for (const record of fitting) log.copy(record);
    mark.begin(ring.id, newest);
  } finally {
    log.close();
    mark.close();
  }
  return newest >= expected;
}

/**
 * What follows the snapshot without a hole, and has room in one round of the ring. A number that
 * the log does not have is of a commit that went past it into LMDB: after the snapshot that is a
 * hole.
 */
function fittingOf(records: readonly RingRecord[], { start, newest, capacity }: RingState): RingRecord[] {
  const fitting: RingRecord[] = [];
  let used = 0;
  let end = start;
  for (const record of records) {
    if (record.lsn <= start.previous) continue;
    const bytes = record.next.offset - end.offset;
    used += bytes > 0 ? bytes : bytes + capacity;
    if (used >= capacity || record.lsn > Math.max(newest, end.previous) + 1) break;
    fitting.push(record);
    end = record.next;
  }
  return fitting;
}

/** 0: it is not there. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What is there of it is durable when this returns. */
export function syncPath(path: string): void {
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}
