/**
 * The journal (docs/adr/0012-a-journal-before-the-mailboxes.md): what was appended and acknowledged lately, in the order of the commits,
 * before it is settled in the mailboxes. A commit writes one run of pages for all its mailboxes; what is acknowledged while it is still
 * here never becomes a part of its mailbox. When the journal is longer than its bound, the mailboxes of its oldest records are settled,
 * and those records go.
 *
 * key: u48 number → record (journal-record.ts). A head says up to which number it contains the journal.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Db } from './environment.ts';
import { type JournalEntry, readRecord } from './journal-record.ts';
import { u48 } from './keys.ts';
import { RecordSlabs } from './record-slabs.ts';

interface JournalRecord {
  readonly number: number;
  readonly bytes: Buffer;
  readonly devices: Iterable<DeviceId>;
}

/** Beside twice what it adds itself: a commit does not pay for all that others left behind, and yet the journal gets no longer. */
const MOST_TRIMMED_AT_ONCE = 16;
const NONE: readonly JournalEntry[] = [];

export class Journal {
  readonly #db: Db;
  readonly #mostBytes: number;
  readonly #slabs = new RecordSlabs();
  /** What is committed and still there, ascending. */
  #records: JournalRecord[] = [];
  #bytes = 0;
  /** The newest number that is known. */
  #known = 0;
  /** What the records say of each device; made when it is asked for, up to the record `#indexed`. */
  readonly #index = new Map<DeviceId, JournalEntry[]>();
  #indexed = 0;
  /** Of this transaction. */
  #fresh: { readonly bytes: Buffer; readonly devices: Iterable<DeviceId> }[] = [];
  /** The newest number before this transaction. */
  #before = 0;
  #trimmedUpTo = 0;

  /** `mostBytes`: how long it may get before its beginning is settled. */
  constructor(db: Db, mostBytes: number) {
    this.#db = db;
    this.#mostBytes = mostBytes;
  }

  /** What other processes did to it, as of the snapshot that is being read. */
  learn(): void {
    for (const first of this.#db.getKeys({ limit: 1 })) this.#drop(first.readUIntBE(0, 6) - 1);
    for (const { key, value } of this.#db.getRange({ start: u48(this.#known + 1) })) {
      const bytes = Buffer.from(value);
      const devices = new Set<DeviceId>();
      const number = key.readUIntBE(0, 6);
      readRecord(bytes, number, (device) => devices.add(device));
      this.#push({ number, bytes, devices });
    }
  }

  /** What committed records say of this mailbox, in order; those that its head contains may be among them. */
  entriesOf(device: DeviceId): readonly JournalEntry[] {
    // Numbers have no gaps.
    const first = this.#records[0]?.number ?? 0;
    for (let i = Math.max(this.#indexed + 1 - first, 0); i < this.#records.length; i++) {
      const { number, bytes } = this.#records[i] as JournalRecord;
      readRecord(bytes, number, (of, entry) => {
        const entries = this.#index.get(of);
        if (entries) entries.push(entry);
        else this.#index.set(of, [entry]);
      });
      this.#indexed = number;
    }
    return this.#index.get(device) ?? NONE;
  }

  /** Memory for a record that is to be added, or discarded. */
  readonly allocate = (length: number): Buffer => this.#slabs.allocate(length);

  /** The record is not to be added, and nobody reads it any more. */
  discard(record: Buffer): void {
    this.#slabs.release(record);
  }

  /** Adds a record to this transaction; `devices` are all that it speaks of. It must not change any more. */
  add(bytes: Buffer, devices: Iterable<DeviceId>): void {
    this.#fresh.push({ bytes, devices });
  }

  /** The number of the newest record when this transaction is through. */
  get newest(): number {
    return this.#known + this.#fresh.length;
  }

  /** The oldest records, which are to go: their mailboxes must be settled. The newest stays, because the next number is counted from it. */
  overdue(): readonly JournalRecord[] {
    let bytes = this.#bytes;
    for (const record of this.#fresh) bytes += record.bytes.length;
    const fresh = this.#fresh.length;
    const end = Math.min(fresh > 0 ? this.#records.length : this.#records.length - 1, MOST_TRIMMED_AT_ONCE + 2 * fresh);
    let count = 0;
    while (count < end && bytes > this.#mostBytes) bytes -= this.#records[count++]?.bytes.length ?? 0;
    return count === 0 ? [] : this.#records.slice(0, count);
  }

  /** Writes this transaction's records and removes `overdue`, whose mailboxes are settled; true when there was something. */
  write(overdue: readonly JournalRecord[]): boolean {
    this.#before = this.#known;
    let number = this.#known;
    for (const { bytes } of this.#fresh) this.#db.putSync(u48(++number), bytes);
    for (const record of overdue) {
      this.#db.removeSync(u48(record.number));
      this.#trimmedUpTo = record.number;
    }
    return this.#fresh.length > 0 || overdue.length > 0;
  }

  done(committed: boolean): void {
    if (committed) {
      let number = this.#before;
      for (const fresh of this.#fresh) this.#keep({ number: ++number, ...fresh });
      this.#drop(this.#trimmedUpTo);
    } else {
      for (const { bytes } of this.#fresh) this.discard(bytes);
    }
    this.#fresh = [];
    this.#trimmedUpTo = 0;
  }

  /** A read may have learned it from the disk already; but open mailboxes have mails of this very memory. */
  #keep(record: JournalRecord): void {
    if (record.number > this.#known) this.#push(record);
    else this.#records[record.number - (this.#records[0]?.number ?? 0)] = record;
  }

  #push(record: JournalRecord): void {
    this.#records.push(record);
    this.#bytes += record.bytes.length;
    this.#known = record.number;
  }

  /** Forgets the records up to this number. */
  #drop(upTo: number): void {
    let count = 0;
    for (const { number, bytes, devices } of this.#records) {
      if (number > upTo) break;
      count++;
      this.#bytes -= bytes.length;
      if (number <= this.#indexed) this.#dropFromIndex(devices, number);
      this.discard(bytes);
    }
    if (count > 0) this.#records.splice(0, count);
  }

  #dropFromIndex(devices: Iterable<DeviceId>, upTo: number): void {
    for (const device of devices) {
      const entries = this.#index.get(device);
      if (!entries) continue;
      const kept = entries.findIndex(({ number }) => number > upTo);
      if (kept === -1) this.#index.delete(device);
      else entries.splice(0, kept);
    }
  }
}
