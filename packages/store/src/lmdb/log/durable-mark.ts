/**
 * The LSN of the newest record that is known to be durable, in a file beside the log: with it a
 * newest record that was damaged, or an end that is missing, is told from a write that a power cut
 * tore. Nobody waits for it to be on the disk: a power cut leaves an older one, which says less and
 * nothing wrong; a killed process leaves the right one.
 *
 * file: 8 ring id · u48 LSN · u32 CRC-32 of both (little-endian)
 */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { RING_ID_BYTES } from './ring-file.ts';

export const MARK_FILE = 'journal.mark';
const CHECK_AT = RING_ID_BYTES + 6;
const MARK_BYTES = CHECK_AT + 4;

export class DurableMark {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(MARK_BYTES);

  /** Opens or makes the file. Throws what `node:fs` throws. */
  constructor(path: string) {
    this.#file = openFile(path);
  }

  /** Undefined: it says nothing of this ring, or is damaged. */
  read(ringId: Buffer): number | undefined {
    const bytes = Buffer.alloc(MARK_BYTES);
    readSync(this.#file, bytes, 0, MARK_BYTES, 0);
    if (bytes.compare(ringId, 0, RING_ID_BYTES, 0, RING_ID_BYTES) !== 0) return undefined;
    if (crc32(bytes.subarray(0, CHECK_AT)) !== bytes.readUInt32LE(CHECK_AT)) return undefined;
    return bytes.readUIntLE(RING_ID_BYTES, 6);
  }

  /** A disk that does not take it leaves the one before. */
  write(ringId: Buffer, lsn: number): void {
    ringId.copy(this.#bytes);
    this.#bytes.writeUIntLE(lsn, RING_ID_BYTES, 6);
    this.#bytes.writeUInt32LE(crc32(this.#bytes.subarray(0, CHECK_AT)), CHECK_AT);
    try {
      writeSync(this.#file, this.#bytes, 0, MARK_BYTES, 0);
    } catch {}
  }

  /** What is written is on the disk. */
  syncNow(): void {
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
  }
  return openSync(path, 'w+', 0o600);
}
