/**
 * The commit log: what was appended, acknowledged, claimed and lost lately, in the order of the
 * commits, before a checkpoint takes it over into the mailboxes of LMDB (docs/adr/0012, 0013,
 * 0018-the-log-says-all.md). One write and one fdatasync make a commit durable; what is
 * acknowledged while it is still here never becomes a part of its mailbox.
 *
 * This process alone has the folder, so the state is here. LMDB is told where the oldest record is
 * that is still needed, in the transactions that take records over, and reads it back when the
 * store is opened.
 *
 * key: 'ring' → 8 ring id · f64 (little-endian) capacity, offset where the oldest record begins,
 *      LSN and seal of the one before it, newest LSN given out
 */
import { join } from 'node:path';
import { systemRandom } from '@sealwire/crypto/random';
import type { DeviceId } from '@sealwire/wire/ids';
import { StoreError } from '../../port.ts';
import type { Db, Environment } from '../environment.ts';
import { type LogEntry, partsOf, readPart } from './log-record.ts';
import { PAGE_BYTES, type Place, RING_ID_BYTES, type Ring, RingFile, ringCapacity } from './ring-file.ts';
import { RecordSlabs } from './slabs.ts';

export const LOG_FILE = 'journal.dat';
const RING_KEY = Buffer.from('ring');
const RING_BYTES = RING_ID_BYTES + 5 * 8;

const BEGINNING: Place = { offset: 0, previous: 0, seal: 0 };
const NONE: readonly LogEntry[] = [];

/** What one commit said. */
export interface CommitRecord {
  readonly lsn: number;
  readonly parts: readonly Buffer[];
  /** All that it speaks of, some more than once. */
  readonly devices: readonly DeviceId[];
  /** Where it ends. */
  readonly end: Place;
}

/** What LMDB knows of the ring. */
interface RingState extends Ring {
  readonly start: Place;
  readonly newest: number;
}

export class CommitLog {
  readonly #db: Db;
  readonly #file: RingFile;
  readonly #ring: Ring;
  readonly #slabs = new RecordSlabs();
  /** What is durable in the file and still needed, ascending. */
  readonly #records: CommitRecord[] = [];
  /** The parts of these. */
  readonly #kept = new Set<Buffer>();
  #start: Place;
  #end: Place;
  /** Of the commit that is being put together, or is on its way to the disk. */
  #lsn: number;
  /** What it says the mailboxes in memory have. */
  #isApplied = false;
  /**
   * What the records say of each device; made when it is asked for, up to the record `#indexed`.
   */
  readonly #index = new Map<DeviceId, LogEntry[]>();
  #indexed = 0;
  /** Of the commit that is being put together. */
  #parts: Buffer[] = [];
  #devices: DeviceId[] = [];
  /** It is written, and not yet known to be durable. */
  #written: CommitRecord | undefined;
  #broken: StoreError | undefined;

  /** Opens the file at `path` and reads it. Throws what `node:fs` throws. */
  constructor(db: Db, path: string) {
    const { start, newest, ...ring } = readRing(db);
    this.#db = db;
    this.#ring = ring;
    this.#file = new RingFile(path, ring);
    this.#start = start;
    this.#end = start;
    this.#lsn = newest + 1;
    for (let next = this.#file.read(start); next; next = this.#file.read(this.#end)) {
      const parts = partsOf(next.payload);
      const devices = new Set<DeviceId>();
      for (const part of parts) readPart(part, next.lsn, (device) => devices.add(device));
      this.#push({ lsn: next.lsn, parts, devices: [...devices], end: next.next });
      this.#lsn = Math.max(this.#lsn, next.lsn + 1);
    }
    // What a killed process wrote may be in the system's memory only.
    this.#file.syncNow();
  }

  /** Throws once a write came to nothing: nobody knows what the disk has. */
  check(): void {
    if (this.#broken) throw this.#broken;
  }

  get records(): readonly CommitRecord[] {
    return this.#records;
  }

  /** What is said of this mailbox, in order; what its head contains may be among it. */
  entriesOf(device: DeviceId): readonly LogEntry[] {
    for (let i = this.#firstNotIndexed(); i < this.#records.length; i++) {
      const { lsn, parts } = this.#records[i] as CommitRecord;
      for (const part of parts)
        readPart(part, lsn, (of, entry) => {
          const entries = this.#index.get(of);
          if (entries) entries.push(entry);
          else this.#index.set(of, [entry]);
        });
      this.#indexed = lsn;
    }
    return this.#index.get(device) ?? NONE;
  }

  /** The parts of a durable record that is still here. */
  partsOf(lsn: number): readonly Buffer[] | undefined {
    return lsn === this.#lsn ? this.#parts : this.#find(lsn)?.parts;
  }

  /** Memory for a part that is to be added; `release` follows. */
  readonly allocate = (length: number): Buffer => this.#slabs.allocate(length);

  /** The call that brought the part is over: unless a record has it, its memory is used again. */
  release(part: Buffer): void {
    if (!this.#kept.has(part)) this.#slabs.release(part);
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
    return this.#records[0]?.lsn ?? this.#lsn;
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
    this.#db.putSync(RING_KEY, encodeRing({ ...ring, start: record?.end ?? ring.start, newest: this.applied }));
  }

  /** That transaction is durable. */
  drop(upTo: CommitRecord): void {
    let count = 0;
    for (const { lsn, parts, devices } of this.#records) {
      if (lsn > upTo.lsn) break;
      count++;
      if (lsn <= this.#indexed) for (const device of devices) this.#dropFromIndex(device, lsn);
      for (const part of parts) {
        this.#kept.delete(part);
        this.#slabs.release(part);
      }
    }
    this.#records.splice(0, count);
    this.#start = upTo.end;
  }

  close(): void {
    this.#file.close();
  }

  #push(record: CommitRecord): void {
    this.#records.push(record);
    for (const part of record.parts) this.#kept.add(part);
    this.#end = record.end;
  }

  #find(lsn: number): CommitRecord | undefined {
    const at = lowerBound(this.#records, lsn);
    const record = this.#records[at];
    return record?.lsn === lsn ? record : undefined;
  }

  #firstNotIndexed(): number {
    return lowerBound(this.#records, this.#indexed + 1);
  }

  #dropFromIndex(device: DeviceId, upTo: number): void {
    const entries = this.#index.get(device);
    if (!entries || (entries[0] as LogEntry).lsn > upTo) return;
    const kept = entries.findIndex(({ lsn }) => lsn > upTo);
    if (kept === -1) this.#index.delete(device);
    else entries.splice(0, kept);
  }
}

/** Where the first of these is that has this LSN or a newer one. */
function lowerBound(records: readonly CommitRecord[], lsn: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((records[middle] as CommitRecord).lsn < lsn) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The log of the folder `path`, which gets a ring of `bytes` if it has none. Throws `StoreError`
 * whose one line says what is wrong with the folder.
 */
export function openLog({ root, databases }: Environment, path: string, bytes: number): CommitLog {
  const db = databases.journal;
  const file = join(path, LOG_FILE);
  if (!db.getBinary(RING_KEY)) {
    const id = Buffer.from(systemRandom(RING_ID_BYTES));
    const state = { id, capacity: ringCapacity(bytes), start: BEGINNING, newest: 0 };
    root.transactionSync(() => db.putSync(RING_KEY, encodeRing(state)));
  }
  try {
    return new CommitLog(db, file);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError('unavailable', `the file ${file} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

export function readRing(db: Db): RingState {
  const bytes = db.getBinary(RING_KEY);
  if (bytes?.length !== RING_BYTES) throw new StoreError('corrupt', 'the store does not know its log');
  return {
    id: bytes.subarray(0, RING_ID_BYTES),
    capacity: bytes.readDoubleLE(RING_ID_BYTES),
    start: {
      offset: bytes.readDoubleLE(RING_ID_BYTES + 8),
      previous: bytes.readDoubleLE(RING_ID_BYTES + 16),
      seal: bytes.readDoubleLE(RING_ID_BYTES + 24),
    },
    newest: bytes.readDoubleLE(RING_ID_BYTES + 32),
  };
}

function encodeRing({ id, capacity, start, newest }: RingState): Buffer {
  const bytes = Buffer.alloc(RING_BYTES);
  id.copy(bytes);
  bytes.writeDoubleLE(capacity, RING_ID_BYTES);
  bytes.writeDoubleLE(start.offset, RING_ID_BYTES + 8);
  bytes.writeDoubleLE(start.previous, RING_ID_BYTES + 16);
  bytes.writeDoubleLE(start.seal, RING_ID_BYTES + 24);
  bytes.writeDoubleLE(newest, RING_ID_BYTES + 32);
  return bytes;
}
