/**
 * The journal (docs/adr/0012-a-journal-before-the-mailboxes.md, 0013-the-journal-in-a-file-of-its-own.md): what was appended and acknowledged
 * lately, in the order of the transactions, before it is settled in the mailboxes. It has a file of its own, so that such a transaction is one
 * write at one place and LMDB writes nothing; what is acknowledged while it is still here never becomes a part of its mailbox.
 *
 * LMDB knows where the oldest flight is that is still needed. A transaction that LMDB has to write settles all that it would say here, and
 * now and then the mailboxes of the oldest flights, which then go.
 *
 * key: 'ring' → 8 ring id · f64 (little-endian) capacity, offset where the oldest flight begins, number and seal of the one before it, newest
 *       number
 */
import { join } from 'node:path';
import { systemRandom } from '@sealwire/crypto/random';
import type { DeviceId } from '@sealwire/wire/ids';
import { StoreError } from '../../port.ts';
import type { Db, Environment } from '../environment.ts';
import { type JournalEntry, partsOf, readPart } from './log-record.ts';
import { JournalFile, type Place, RING_ID_BYTES, type Ring, ringCapacity } from './ring-file.ts';
import { RecordSlabs } from './slabs.ts';

const JOURNAL_FILE = 'journal.dat';
const RING_KEY = Buffer.from('ring');
const RING_BYTES = RING_ID_BYTES + 5 * 8;

const BEGINNING: Place = { offset: 0, previous: 0, seal: 0 };
const NONE: readonly JournalEntry[] = [];

/** What one transaction said. */
export interface Flight {
  readonly number: number;
  readonly parts: readonly Buffer[];
  /** All that it speaks of, some more than once. */
  readonly devices: readonly DeviceId[];
  /** Where it ends. */
  readonly end: Place;
  /** The message ids that it took (`accepted-log.ts`), if this process flew it. */
  readonly records?: readonly Buffer[];
}

/** What LMDB knows of the ring. */
interface RingState extends Ring {
  readonly start: Place;
  /** The newest number that a transaction of LMDB was given. */
  readonly newest: number;
}

export class Journal {
  readonly #db: Db;
  readonly #file: JournalFile;
  readonly #capacity: number;
  readonly #slabs = new RecordSlabs();
  /** What is durable in the file and still needed, ascending. */
  #flights: Flight[] = [];
  /** The parts of these. */
  readonly #kept = new Set<Buffer>();
  #start: Place;
  #end: Place;
  /** The newest number that is known to be taken. */
  #newest: number;
  /** What the flights say of each device; made when it is asked for, up to the flight `#indexed`. */
  readonly #index = new Map<DeviceId, JournalEntry[]>();
  #indexed = 0;
  /** Of this transaction. */
  #parts: Buffer[] = [];
  #devices: DeviceId[] = [];
  /** This transaction's flight is written, and not yet known to be durable. */
  #written: Flight | undefined;
  /** This transaction of LMDB makes it the start, or gives itself a number. */
  #put: RingState | undefined;
  #broken: StoreError | undefined;

  /** Throws what `node:fs` throws when the file at `path` cannot be opened. `learn` comes first. */
  constructor(db: Db, path: string) {
    const state = readRing(db);
    this.#db = db;
    this.#capacity = state.capacity;
    this.#file = new JournalFile(path, state);
    this.#start = state.start;
    this.#end = state.start;
    this.#newest = state.newest;
  }

  /**
   * What other processes did, as of the LMDB snapshot that is being read, is handed to `visit` and then known. It is made durable first:
   * whoever wrote it may not have come to that yet.
   */
  learn(visit: (flight: Flight) => void): void {
    if (this.#broken) throw this.#broken;
    const { start, newest } = readRing(this.#db);
    this.#start = start;
    this.#newest = Math.max(this.#newest, newest);
    this.#drop(start.previous);
    if (this.#end.previous < start.previous) this.#end = start;
    // While a flight of this process is on its way, nothing that comes after it can be read.
    if (this.#written) return;
    const found: Flight[] = [];
    let end = this.#end;
    for (let next = this.#file.read(end); next; next = this.#file.read(end)) {
      const parts = partsOf(next.payload);
      const devices = new Set<DeviceId>();
      for (const part of parts) readPart(part, next.number, (device) => devices.add(device));
      end = next.next;
      found.push({ number: next.number, parts, devices: [...devices], end });
    }
    if (found.length === 0) return;
    try {
      this.#file.syncNow();
    } catch (cause) {
      throw this.#break(cause);
    }
    for (const flight of found) {
      this.#push(flight);
      visit(flight);
    }
  }

  /** Whether others have moved the beginning since `learn`, as of the snapshot that is being read now: then what it read may have been overwritten. */
  isOutrun(): boolean {
    return readRing(this.#db).start.previous !== this.#start.previous;
  }

  /** What is said of this mailbox, in order; what its head contains may be among it. */
  entriesOf(device: DeviceId): readonly JournalEntry[] {
    for (const { number, parts } of this.#flights) {
      if (number <= this.#indexed) continue;
      for (const part of parts)
        readPart(part, number, (of, entry) => {
          const entries = this.#index.get(of);
          if (entries) entries.push(entry);
          else this.#index.set(of, [entry]);
        });
      this.#indexed = number;
    }
    return this.#index.get(device) ?? NONE;
  }

  /** The parts of a flight, or of this transaction; undefined: the journal does not have it (any more). */
  partsOf(number: number): readonly Buffer[] | undefined {
    if (number > this.#newest) return this.#parts;
    return this.#flights.find((flight) => flight.number === number)?.parts;
  }

  /** Memory for a part that is to be added; `release` follows. */
  readonly allocate = (length: number): Buffer => this.#slabs.allocate(length);

  /** The call that brought the part is over: unless a flight has it, its memory is used again. */
  release(part: Buffer): void {
    if (!this.#kept.has(part)) this.#slabs.release(part);
  }

  /** Adds a part to this transaction. What it says may change until the transaction ends. */
  add(part: Buffer): void {
    this.#parts.push(part);
  }

  /** The newest part, which says nothing after all, is not a part of this transaction. */
  takeBack(): void {
    this.#parts.pop();
  }

  /** What was added speaks of this device. */
  name(device: DeviceId): void {
    this.#devices.push(device);
  }

  /** The number of this transaction. */
  get number(): number {
    return this.#newest + 1;
  }

  /** The number of the oldest flight that is kept, or of this transaction. */
  get oldest(): number {
    return this.#flights[0]?.number ?? this.number;
  }

  /** What this transaction adds. */
  get parts(): readonly Buffer[] {
    return this.#parts;
  }

  get devices(): readonly DeviceId[] {
    return this.#devices;
  }

  /** Seven eighths full: LMDB should take the oldest flights over before messages have to wait for that. */
  get isOverdue(): boolean {
    return this.#file.used(this.#start, this.#end) > 0.875 * this.#capacity;
  }

  /** Writes what this transaction adds to the file; false: that cannot be, and nothing has happened. `records`: the flight's. */
  fly(records: () => readonly Buffer[]): boolean {
    if (this.#parts.length === 0) return true;
    const { number } = this;
    const end = this.#file.append(this.#start, this.#end, number, this.#parts);
    this.#written = end && { number, parts: this.#parts, devices: this.#devices, end, records: records() };
    return end !== undefined;
  }

  /** The flight is durable. When that fails nobody knows what is on the disk, nor will (the kernel forgets it): nothing is taken any more. */
  async sync(): Promise<void> {
    if (!this.#written) return;
    try {
      await this.#file.sync();
    } catch (cause) {
      throw this.#break(cause);
    }
  }

  /**
   * The flights whose mailboxes are to be settled in this transaction of LMDB: of a ring that is three quarters full the oldest quarter, which
   * is nearly always acknowledged by then; or all.
   */
  overdue(all: boolean): readonly Flight[] {
    if (all) return this.#flights;
    if (this.#file.used(this.#start, this.#end) <= 0.75 * this.#capacity) return [];
    const count = this.#flights.findIndex(({ end }) => this.#file.used(end, this.#end) <= this.#capacity / 2);
    return this.#flights.slice(0, count + 1);
  }

  /** In this transaction of LMDB, which takes its number, all of `overdue` is settled. */
  write(overdue: readonly Flight[]): void {
    const state = readRing(this.#db);
    this.#put = { ...state, start: overdue.at(-1)?.end ?? state.start, newest: this.number };
    this.#db.putSync(RING_KEY, encodeRing(this.#put));
  }

  /**
   * The transaction is over; the number that it took, if it did. The lock is given back by now: what others have done since, a read may have
   * learned already, be it that they settled this very flight.
   */
  done(committed: boolean): number | undefined {
    const taken = committed ? (this.#written?.number ?? this.#put?.newest) : undefined;
    if (committed && this.#written && this.#written.number > this.#start.previous) this.#push(this.#written);
    if (committed && this.#put) {
      if (this.#put.start.previous > this.#start.previous) this.#start = this.#put.start;
      this.#newest = Math.max(this.#newest, this.#put.newest);
      this.#drop(this.#start.previous);
    }
    this.#parts = [];
    this.#devices = [];
    this.#written = undefined;
    this.#put = undefined;
    return taken;
  }

  close(): void {
    this.#file.close();
  }

  #break(cause: unknown): StoreError {
    this.#broken = new StoreError('unavailable', 'the journal could not be written: check the disk, and start again', {
      cause,
    });
    return this.#broken;
  }

  #push(flight: Flight): void {
    this.#flights.push(flight);
    for (const part of flight.parts) this.#kept.add(part);
    this.#end = flight.end;
    this.#newest = Math.max(this.#newest, flight.number);
  }

  /** Forgets the flights up to this number. */
  #drop(upTo: number): void {
    let count = 0;
    for (const { number, parts, devices } of this.#flights) {
      if (number > upTo) break;
      count++;
      if (number <= this.#indexed) for (const device of devices) this.#dropFromIndex(device, number);
      for (const part of parts) {
        this.#kept.delete(part);
        this.#slabs.release(part);
      }
    }
    if (count > 0) this.#flights.splice(0, count);
  }

  #dropFromIndex(device: DeviceId, upTo: number): void {
    const entries = this.#index.get(device);
    if (!entries || (entries[0] as JournalEntry).number > upTo) return;
    const kept = entries.findIndex(({ number }) => number > upTo);
    if (kept === -1) this.#index.delete(device);
    else entries.splice(0, kept);
  }
}

/**
 * The journal of the folder `path`, which gets a ring of `bytes` if it has none. Throws `StoreError` whose one line says what is wrong with
 * the folder.
 */
export function openJournal({ root, databases }: Environment, path: string, bytes: number): Journal {
  const db = databases.journal;
  const file = join(path, JOURNAL_FILE);
  if (!db.getBinary(RING_KEY))
    root.transactionSync(() => {
      if (!db.getBinary(RING_KEY)) makeRing(db, bytes, 0);
    });
  try {
    return new Journal(db, file);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError('unavailable', `the file ${file} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

/** Gives a folder an empty ring of `bytes`, inside a transaction; numbers up to `newest` were given before there was one. */
export function makeRing(db: Db, bytes: number, newest: number): void {
  const id = Buffer.from(systemRandom(RING_ID_BYTES));
  db.putSync(RING_KEY, encodeRing({ id, capacity: ringCapacity(bytes), start: BEGINNING, newest }));
}

function readRing(db: Db): RingState {
  const bytes = db.getBinary(RING_KEY);
  if (bytes?.length !== RING_BYTES) throw new StoreError('corrupt', 'the store does not know its journal');
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
