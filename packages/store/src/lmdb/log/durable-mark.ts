/**
 * The LSN of the newest record that is known to be durable, in a file beside the log: with it a
 * newest record that was damaged, or an end that is missing, is told from a write that a power cut
 * tore. Nobody waits for it to be on the disk: a power cut leaves an older one, which says less and
 * nothing wrong; a killed process leaves the right one.
 *
 * file: 8 ring id · u48 LSN · u32 CRC-32 of both (little-endian)
 */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { RING_ID_BYTES } from './ring-file.ts';

export const MARK_FILE = 'journal.mark';
const CHECK_AT = RING_ID_BYTES + 6;
const MARK_BYTES = CHECK_AT + 4;

export class DurableMark {
  readonly #path: string;
  readonly #bytes = Buffer.alloc(MARK_BYTES);
  /** Once something was written. */
  #file: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined: it says nothing of this ring, is damaged, or is not there. */
  read(ringId: Buffer): number | undefined {
    if (!existsSync(this.#path)) return undefined;
    const bytes = readFileSync(this.#path);
    if (bytes.length < MARK_BYTES || bytes.compare(ringId, 0, RING_ID_BYTES, 0, RING_ID_BYTES) !== 0) return undefined;
    if (crc32(bytes.subarray(0, CHECK_AT)) !== bytes.readUInt32LE(CHECK_AT)) return undefined;
    return bytes.readUIntLE(RING_ID_BYTES, 6);
  }

  /** The first one, which is durable. Throws what `node:fs` throws. */
  begin(ringId: Buffer, lsn: number): void {
    this.#file ??= openSync(this.#path, 'w+', 0o600);
    this.write(ringId, lsn);
    fdatasyncSync(this.#file);
  }

  /** A disk that does not take it leaves the one before. */
  write(ringId: Buffer, lsn: number): void {
    if (this.#file === undefined) return;
    ringId.copy(this.#bytes);
    this.#bytes.writeUIntLE(lsn, RING_ID_BYTES, 6);
    this.#bytes.writeUInt32LE(crc32(this.#bytes.subarray(0, CHECK_AT)), CHECK_AT);
    try {
      writeSync(this.#file, this.#bytes, 0, MARK_BYTES, 0);
    } catch {}
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
