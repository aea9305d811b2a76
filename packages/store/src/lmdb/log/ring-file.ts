/**
 * The file of the log: a ring of commit records. A record is what one commit says, written with one
 * call and made durable with one fdatasync; in pages of its own, so that writing one never touches
 * what another has on the disk.
 *
 * record: u32 seal: CRC-32 of all that follows · u32 length of the payload · u48 LSN · u48 LSN and
 *         u32 seal of the record before it · 8 ring id · payload (little-endian; the next record
 *         begins at the next multiple of 4 KiB, or, when it would not fit there, at 0)
 *
 * LSNs grow, each record names the one before it by LSN and seal, and the ring's id is random: what
 * an older round, a torn write, another folder's file or a history that a restored backup undid
 * left behind is never taken for the next record.
 */
import { closeSync, fdatasync, fdatasyncSync, fstatSync, fsyncSync, openSync, readSync, writevSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

export const LOG_FILE = 'journal.dat';
export const PAGE_BYTES = 4_096;
const HEAD_BYTES = 32;
const SEAL_BYTES = 4;
const LSN_AT = 8;
const PREVIOUS_AT = 14;
const PREVIOUS_SEAL_AT = 20;
const ID_AT = 24;
export const RING_ID_BYTES = 8;

const sync = promisify(fdatasync);

/** Between two records. */
export interface Place {
  /** Where the next record begins, unless it had no room there. */
  readonly offset: number;
  /** The LSN of the record before it; 0: there was none. */
  readonly previous: number;
  /** The seal of that record. */
  readonly seal: number;
}

export interface Ring {
  /** Random. */
  readonly id: Buffer;
  /** Bytes, a multiple of the page. */
  readonly capacity: number;
}

/** A record that is in the file. */
export interface RingRecord {
  readonly offset: number;
  readonly lsn: number;
  readonly payload: Buffer;
  /** The LSN and the seal of the record before it. */
  readonly previous: Pick<Place, 'previous' | 'seal'>;
  /** Behind it. */
  readonly next: Place;
}

export function ringCapacity(bytes: number): number {
  return bytes - (bytes % PAGE_BYTES);
}

export class RingFile {
  readonly #file: number;
  readonly #ring: Ring;
  readonly #head = Buffer.alloc(HEAD_BYTES);

  /** Opens or makes the file; `reading`: opens it to read it only. Throws what `node:fs` throws. */
  constructor(path: string, ring: Ring, use?: 'reading') {
    this.#file = use ? openSync(path, 'r') : openFile(path);
    this.#ring = ring;
    ring.id.copy(this.#head, ID_AT);
  }

  /** The record that follows `place`. Undefined: there is none (yet). */
  read(place: Place): RingRecord | undefined {
    return this.#readAt(place.offset, place) ?? this.#readAt(0, place);
  }

  /**
   * All records beyond `lsn`, ascending, wherever they are. Behind a chain that has ended there are
   * none, unless something of the file was damaged: records are only written behind durable ones.
   */
  scan(lsn: number): RingRecord[] {
    const found: RingRecord[] = [];
    for (let offset = 0; offset < this.#ring.capacity; offset += PAGE_BYTES) {
      const record = this.#readAt(offset, undefined, lsn);
      if (record) found.push(record);
    }
    return found.sort((a, b) => a.lsn - b.lsn);
  }

  /** Nothing was ever written, or the file was lost. */
  get isEmpty(): boolean {
    return fstatSync(this.#file).size === 0;
  }

  /** How many bytes of the ring lie between two places. */
  used(start: Place, end: Place): number {
    if (start.previous === end.previous) return 0;
    const bytes = end.offset - start.offset;
    // From its first byte to its last it is all of the ring, not nothing.
    return bytes > 0 ? bytes : bytes + this.#ring.capacity;
  }

  /**
   * Writes a record behind `end` and answers the place behind it; it is not durable yet. Undefined:
   * it has no room before `start`, where the oldest record begins that is still needed, or the disk
   * would not have it; nothing has happened then.
   */
  append(start: Place, end: Place, lsn: number, parts: readonly Buffer[]): Place | undefined {
    let length = 0;
    for (const part of parts) length += part.length;
    const offset = this.#roomFor(pagesOf(length), start.offset, end.offset);
    if (offset === undefined) return undefined;
    const seal = this.#putHead(length, lsn, end, parts);
    try {
      if (writevSync(this.#file, [this.#head, ...parts], offset) < HEAD_BYTES + length) return undefined;
    } catch {
      return undefined;
    }
    return { offset: offset + pagesOf(length), previous: lsn, seal };
  }

  /** Writes a record that was read from a file of the same ring, where it was there. Throws what `node:fs` throws. */
  copy({ offset, lsn, payload, previous }: RingRecord): void {
    this.#putHead(payload.length, lsn, previous, [payload]);
    writevSync(this.#file, [this.#head, payload], offset);
  }

  #putHead(length: number, lsn: number, before: RingRecord['previous'], parts: readonly Buffer[]): number {
    const head = this.#head;
    head.writeUInt32LE(length, SEAL_BYTES);
    head.writeUIntLE(lsn, LSN_AT, 6);
    head.writeUIntLE(before.previous, PREVIOUS_AT, 6);
    head.writeUInt32LE(before.seal, PREVIOUS_SEAL_AT);
    let seal = crc32(head.subarray(SEAL_BYTES));
    for (const part of parts) seal = crc32(part, seal);
    head.writeUInt32LE(seal, 0);
    return seal;
  }

  /** Durable, what is written. */
  async sync(): Promise<void> {
    await sync(this.#file);
  }

  syncNow(): void {
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Strictly less than free, because a full ring would look like an empty one. */
  #roomFor(bytes: number, start: number, end: number): number | undefined {
    if (end < start) return end + bytes < start ? end : undefined;
    if (end + bytes <= this.#ring.capacity) return end;
    return bytes < start ? 0 : undefined;
  }

  /** The record there, if it is beyond `least`; with `after` only the one that follows it. */
  #readAt(offset: number, after?: Place, least = 0): RingRecord | undefined {
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    if (readSync(this.#file, head, 0, HEAD_BYTES, offset) < HEAD_BYTES) return undefined;
    const length = head.readUInt32LE(SEAL_BYTES);
    const lsn = head.readUIntLE(LSN_AT, 6);
    const previous = { previous: head.readUIntLE(PREVIOUS_AT, 6), seal: head.readUInt32LE(PREVIOUS_SEAL_AT) };
    if (head.compare(this.#ring.id, 0, RING_ID_BYTES, ID_AT) !== 0) return undefined;
    if (after && (previous.previous !== after.previous || previous.seal !== after.seal)) return undefined;
    if (lsn <= Math.max(previous.previous, least) || offset + HEAD_BYTES + length > this.#ring.capacity)
      return undefined;
    const payload = Buffer.allocUnsafeSlow(length);
    if (readSync(this.#file, payload, 0, length, offset + HEAD_BYTES) < length) return undefined;
    const seal = crc32(payload, crc32(head.subarray(SEAL_BYTES)));
    if (seal !== head.readUInt32LE(0)) return undefined;
    return { offset, lsn, payload, previous, next: { offset: offset + pagesOf(length), previous: lsn, seal } };
  }
}

/** What a record with so much payload takes of the ring. */
function pagesOf(length: number): number {
  return Math.ceil((HEAD_BYTES + length) / PAGE_BYTES) * PAGE_BYTES;
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
  }
  const file = openSync(path, 'wx+', 0o600);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
  return file;
}
