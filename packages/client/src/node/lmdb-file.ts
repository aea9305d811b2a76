/**
 * A look at a data file before LMDB maps it: LMDB trusts what it maps, and a file that is no LMDB file ends the whole process without
 * a word. The first two pages are meta pages; each holds the magic number and the format version after a header of 24 bytes.
 * Damage further inside is not found here: the records are authenticated one by one (sealed-storage.ts).
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { corruptStorage } from '../errors.ts';

const MAGIC = 0xbeefc0de;
const VERSION = 2;
const PAGE_BYTES = 4_096;
const PAGE_HEADER_BYTES = 24;
const META_PAGES = 2;

/** Throws `ClientError` `corrupt` when there is a file and it is not one that LMDB wrote. */
export function requireLmdbFile(path: string): void {
  if (!existsSync(path)) return;
  const start = Buffer.alloc(META_PAGES * PAGE_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    const length = readSync(descriptor, start, 0, start.length, 0);
    // A process that was killed right after it made the file leaves an empty one, which LMDB fills.
    if (length === 0) return;
    if (length === start.length && isMetaPage(start, 0) && isMetaPage(start, PAGE_BYTES)) return;
  } finally {
    closeSync(descriptor);
  }
  throw corruptStorage(path);
}

function isMetaPage(bytes: Buffer, page: number): boolean {
  const read = (at: number) => (endianness() === 'LE' ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  return read(page + PAGE_HEADER_BYTES) === MAGIC && read(page + PAGE_HEADER_BYTES + 4) === VERSION;
}
