/**
 * The records of the commit log that are durable and still needed, in memory: by number, and by the
 * devices that they speak of.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { CommitRecord } from './load-log.ts';
import { type LogEntry, readPart } from './log-record.ts';
import { RecordSlabs } from './slabs.ts';

const NONE: readonly LogEntry[] = [];

export class KeptRecords {
  readonly #slabs = new RecordSlabs();
  /** Ascending. */
  readonly #records: CommitRecord[] = [];
  /** The parts of these. */
  readonly #kept = new Set<Buffer>();
  /**
   * What the records say of each device; made when it is asked for, up to the record `#indexed`.
   */
  readonly #index = new Map<DeviceId, LogEntry[]>();
  #indexed = 0;

  get all(): readonly CommitRecord[] {
    return this.#records;
  }

  find(lsn: number): CommitRecord | undefined {
    const record = this.#records[lowerBound(this.#records, lsn)];
    return record?.lsn === lsn ? record : undefined;
  }

  /** What they say of this device, in order. */
  entriesOf(device: DeviceId): readonly LogEntry[] {
    for (let i = lowerBound(this.#records, this.#indexed + 1); i < this.#records.length; i++) {
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

  /** Memory for a part of a record to come; `release` follows. */
  allocate(length: number): Buffer {
    return this.#slabs.allocate(length);
  }

  /** The call that brought the part is over: unless a record has it, its memory is used again. */
  release(part: Buffer): void {
    if (!this.#kept.has(part)) this.#slabs.release(part);
  }

  /** Newer than all others. */
  push(record: CommitRecord): void {
    this.#records.push(record);
    for (const part of record.parts) this.#kept.add(part);
  }

  /** These, up to this one, are needed no more. */
  drop(upTo: number): void {
    let count = 0;
    for (const { lsn, parts, devices } of this.#records) {
      if (lsn > upTo) break;
      count++;
      if (lsn <= this.#indexed) for (const device of devices) this.#dropFromIndex(device, lsn);
      for (const part of parts) {
        this.#kept.delete(part);
        this.#slabs.release(part);
      }
    }
    this.#records.splice(0, count);
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
