/**
 * The commit log: what was appended, acknowledged, claimed and lost lately, in the order of the
 * commits, before a checkpoint takes it over into the mailboxes of LMDB (docs/adr/0012, 0013,
 * 0018-the-log-says-all.md). One write and one fdatasync make a commit durable; what is
 * acknowledged while it is still here never becomes a part of its mailbox.
 *
 * This process alone has the folder, so the state is here. LMDB is told where the oldest record is
 * that is still needed (`ring-state.ts`), in the transactions that take records over, and reads it
 * back when the store is opened.
 */
import { join } from 'node:path';
import { systemRandom } from '@sealwire/crypto/random';
import type { DeviceId } from '@sealwire/wire/ids';
import { type DamagedPart, StoreError } from '../../port.ts';
import type { Db, Environment } from '../environment.ts';
import { DurableMark, MARK_FILE } from './durable-mark.ts';
import { KeptRecords } from './kept-records.ts';
import { type CommitRecord, loadLog, withMissing } from './load-log.ts';
import type { LogEntry } from './log-record.ts';
import { LOG_FILE, PAGE_BYTES, type Place, RING_ID_BYTES, RingFile, ringCapacity } from './ring-file.ts';
import { findRing, putRing, type RingState, readRing } from './ring-state.ts';

const BEGINNING: Place = { offset: 0, previous: 0, seal: 0 };

export class CommitLog {
  readonly #db: Db;
  readonly #file: RingFile;
  readonly #mark: DurableMark;
  readonly #ring: RingState;
  readonly #records = new KeptRecords();
  #start: Place;
  #end: Place;
  /** Of the commit that is being put together, or is on its way to the disk. */
  #lsn: number;
  /** What it says the mailboxes in memory have. */
  #isApplied = false;
  /** Of the commit that is being put together. */
  #parts: Buffer[] = [];
  #devices: DeviceId[] = [];
  /** It is written, and not yet known to be durable. */
  #written: CommitRecord | undefined;
  #broken: StoreError | undefined;
  readonly #missingBefore: readonly number[];
  /** Tells of damage that somebody came across. */
  readonly report: (where: DamagedPart) => void;
  /** No message of any mailbox has a higher sequence number. */
  highestSeq: number;

  /** Opens the files in the folder and reads them. Throws what `node:fs` throws. */
  constructor(db: Db, folder: string, report: (where: DamagedPart) => void) {
    const ring = readRing(db);
    this.#db = db;
    this.#ring = ring;
    this.report = report;
    this.#file = new RingFile(join(folder, LOG_FILE), ring);
    this.#mark = new DurableMark(join(folder, MARK_FILE));
    const loaded = loadLog(this.#file, this.#mark, ring);
    this.highestSeq = loaded.highestSeq;
    this.#missingBefore = loaded.missingBefore;
    this.#start = ring.start;
    this.#end = loaded.end;
    this.#lsn = loaded.lsn;
    for (const record of loaded.records) this.#push(record);
    // What a killed process wrote may be in the system's memory only.
    this.#file.syncNow();
  }

  /**
   * Accepted messages are missing, nobody knows which: what the file has is to be taken over, and a
   * new ring begun (`repair.ts`).
   */
  get isDamaged(): boolean {
    return this.#missingBefore.length > 0;
  }

  /** See `RingState`. */
  get epoch(): number {
    return this.#ring.epoch;
  }

  /** LMDB knows no newer LSN. */
  get settledLsn(): number {
    return readRing(this.#db).newest;
  }

  /** Throws once a write came to nothing: nobody knows what the disk has. */
  check(): void {
    if (this.#broken) throw this.#broken;
  }

  get records(): readonly CommitRecord[] {
    return this.#records.all;
  }

  /** What is said of this mailbox, in order; what its head contains may be among it. */
  entriesOf(device: DeviceId): readonly LogEntry[] {
    return withMissing(this.#records.entriesOf(device), { lsn: this.#lsn, missingBefore: this.#missingBefore });
  }

  /** The parts of a durable record that is still here. */
  partsOf(lsn: number): readonly Buffer[] | undefined {
    return lsn === this.#lsn ? this.#parts : this.#records.find(lsn)?.parts;
  }

  /** Memory for a part that is to be added; `release` follows. */
  readonly allocate = (length: number): Buffer => this.#records.allocate(length);

  /** The call that brought the part is over: unless a record has it, its memory is used again. */
  release(part: Buffer): void {
    this.#records.release(part);
  }

  /** Adds a part to this commit. What it says may change until the commit is written. */
  add(part: Buffer): void {
    this.#parts.push(part);
  }

  /** The newest part, which says nothing after all, is not a part of this commit. */
  takeBack(): void {
    this.#parts.pop();
  }

  /** What was added speaks of this device. */
  name(device: DeviceId): void {
    this.#devices.push(device);
  }

  /** That of this commit. */
  get lsn(): number {
    return this.#lsn;
  }

  /** The mailboxes in memory have what commits up to this one say. */
  get applied(): number {
    return this.#isApplied ? this.#lsn : this.#lsn - 1;
  }

  /** The LSN of the oldest record that is kept, or of this commit. */
  get oldest(): number {
    return this.records[0]?.lsn ?? this.#lsn;
  }

  /** The mailboxes in memory have all that this commit says; false: it says nothing. */
  apply(): boolean {
    this.#isApplied = this.#parts.length > 0;
    return this.#isApplied;
  }

  /** What this commit speaks of. */
  get devices(): readonly DeviceId[] {
    return this.#devices;
  }

  /** Writes this commit to the file; false: that cannot be, and nothing has happened. */
  write(): boolean {
    const lsn = this.#lsn;
    const end = this.#file.append(this.#start, this.#end, lsn, this.#parts);
    this.#written = end && { lsn, parts: this.#parts, devices: this.#devices, end };
    return end !== undefined;
  }

  /** Whether there is room for this commit once the ring is empty, wherever it begins. */
  mayFit(): boolean {
    return this.#parts.reduce((sum, { length }) => sum + length, 2 * PAGE_BYTES) < this.#ring.capacity / 2;
  }

  /**
   * This commit becomes durable. When that fails nobody knows what is on the disk, nor will (the
   * kernel forgets it): nothing is taken any more.
   */
  async sync(): Promise<void> {
    try {
      await this.#file.sync();
      this.#mark.write(this.#ring.id, this.#lsn);
    } catch (cause) {
      this.#broken = new StoreError('unavailable', 'the log could not be written: check the disk, and start again', {
        cause,
      });
      throw this.#broken;
    }
  }

  /**
   * This commit is over, and the next one begins: it is durable, in the file if it was written
   * there, or it failed.
   */
  done(isDurable: boolean): void {
    if (isDurable && this.#written) this.#push(this.#written);
    if (this.#isApplied) this.#lsn++;
    this.#isApplied = false;
    this.#written = undefined;
    this.#parts = [];
    this.#devices = [];
  }

  /**
   * How much of the ring is in use, counted from behind the record up to which a checkpoint would
   * take over.
   */
  usedAfter(record?: CommitRecord): number {
    return this.#file.used(record?.end ?? this.#start, this.#end) / this.#ring.capacity;
  }

  /**
   * In this transaction of LMDB all up to `record` is taken over; no LSN that it speaks of is given
   * out again.
   */
  putStart(record?: CommitRecord): void {
    // Another job of the transaction may have moved the start.
    const ring = readRing(this.#db);
    const { applied: newest, highestSeq } = this;
    putRing(this.#db, { ...ring, start: record?.end ?? ring.start, newest, logged: this.#newestDurable, highestSeq });
  }

  /** In this transaction of LMDB: from now on the log's files must be there. */
  readonly putOpened = (): void => {
    this.#mark.begin(this.#ring.id, this.#newestDurable);
    putRing(this.#db, { ...readRing(this.#db), isOpen: true });
  };

  /** In this transaction of LMDB: the folder is whole without them, if all of the log is taken over. */
  readonly putClosed = (): void => {
    if (this.records.length === 0) putRing(this.#db, { ...readRing(this.#db), isOpen: false });
  };

  /**
   * In this transaction of LMDB, which takes over all records that could be read: a new ring begins,
   * in which nothing of the damaged file is a record. The log is opened anew afterwards.
   */
  putNewRing(highestSeq: number): void {
    const previous = this.#lsn - 1;
    const { capacity, epoch } = this.#ring;
    const start = { offset: 0, previous, seal: 0 };
    const id = Buffer.from(systemRandom(RING_ID_BYTES));
    const state = { id, capacity, start, newest: previous, logged: previous, isOpen: false };
    putRing(this.#db, { ...state, epoch: epoch + 1, highestSeq });
  }

  /** That transaction is durable. */
  drop(upTo: CommitRecord): void {
    this.#records.drop(upTo.lsn);
    this.#start = upTo.end;
  }

  close(): void {
    this.#file.close();
    this.#mark.close();
  }

  get #newestDurable(): number {
    return this.records.at(-1)?.lsn ?? this.#start.previous;
  }

  #push(record: CommitRecord): void {
    this.#records.push(record);
    this.#end = record.end;
  }
}

/**
 * The log of the folder `path`, which gets a ring of `bytes` if it has none. Throws `StoreError`
 * whose one line says what is wrong with the folder.
 */
export function openLog(
  { root, databases }: Environment,
  path: string,
  bytes: number,
  report: (where: DamagedPart) => void,
): CommitLog {
  const db = databases.journal;
  if (!findRing(db)) {
    const id = Buffer.from(systemRandom(RING_ID_BYTES));
    const ring = { id, capacity: ringCapacity(bytes), start: BEGINNING, newest: 0, logged: 0, isOpen: false };
    root.transactionSync(() => putRing(db, { ...ring, epoch: 0, highestSeq: 0 }));
  }
  try {
    return new CommitLog(db, path, report);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const file = join(path, LOG_FILE);
    throw new StoreError('unavailable', `the file ${file} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}
