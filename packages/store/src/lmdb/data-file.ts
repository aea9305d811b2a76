/**
 * What can be seen of `data.mdb` before LMDB maps it: a file that is cut would end the process by
 * SIGBUS when a page is touched that is not there. The layout is that of lmdb 3 (liblmdb's
 * `MDB_meta` with a page header of 24 bytes).
 *
 * meta page: 24 page header · u32 magic · u32 version · 16 · u32 page size · … · 144: u64 newest
 *            page, u64 transaction (little-endian where Node runs)
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../port.ts';
import { LOG_FILE } from './log/ring-file.ts';
import { type DataFile, treeFault } from './page-tree.ts';

export const DATA_FILE = 'data.mdb';
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;
const PAGE_SIZE_AT = 48;
/** Of the list of free pages, and of the main database. */
const ROOTS_AT = [88, 136];
const NEWEST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_BYTES = 160;

/**
 * `new`: there is no store yet. Throws `corrupt` when there is no database, or a part of it is
 * missing; what `node:fs` throws.
 */
export function checkDataFile(folder: string): 'new' | 'there' {
  const path = join(folder, DATA_FILE);
  const file = existsSync(path) ? openSync(path, 'r') : undefined;
  try {
    const size = file === undefined ? 0 : fstatSync(file).size;
    // Empty: a process died, or is, between making the file and writing its first page.
    if (file === undefined || size === 0) {
      if (existsSync(join(folder, LOG_FILE))) throw lost(folder, file === undefined ? 'missing' : 'empty');
      return 'new';
    }
    const meta = metaOf(file);
    if (!meta) throw new StoreError('corrupt', `the file ${path} is no LMDB database; choose another folder`);
    checkSize(file, size, meta, path);
    return 'there';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function lost(folder: string, how: string): StoreError {
  return new StoreError(
    'corrupt',
    `${folder}/${DATA_FILE} is ${how}, but its log ${LOG_FILE} is there: restore ${DATA_FILE} from a backup, or remove ${LOG_FILE} to begin anew, with nothing`,
  );
}

/** By the newer one of its two meta pages. Undefined: it has none that can be read. */
export function metaOf(file: number): DataFile | undefined {
  const first = metaAt(file, 0);
  const second = metaAt(file, first?.pageSize ?? 4_096);
  return !first || (second && second.transaction > first.transaction) ? second : first;
}

function metaAt(file: number, at: number): (DataFile & { readonly transaction: number }) | undefined {
  const page = Buffer.alloc(META_BYTES);
  if (readSync(file, page, 0, META_BYTES, at) < META_BYTES || page.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined;
  return {
    pageSize: page.readUInt32LE(PAGE_SIZE_AT),
    roots: ROOTS_AT.map((root) => Number(page.readBigInt64LE(root))),
    pages: Number(page.readBigUInt64LE(NEWEST_PAGE_AT)) + 1,
    transaction: Number(page.readBigUInt64LE(TRANSACTION_AT)),
  };
}

/** The newest pages may never have been written, when the transaction that got them did not need them. */
function checkSize(file: number, size: number, meta: DataFile, path: string): void {
  if (size >= meta.pages * meta.pageSize || !treeFault(file, meta)) return;
  throw new StoreError(
    'corrupt',
    `the file ${path} was cut to ${size} bytes, and pages are missing: restore the data folder from a backup`,
  );
}
