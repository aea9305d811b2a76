/** A device's records in a folder of its own: LMDB, one process at a time, readable by its owner only. */
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { asClientError, ClientError } from '../errors.ts';
import { ARCHIVE, type ClientStorage, type StorageChange } from '../storage/storage.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { requireLmdbFile } from './lmdb-file.ts';
import { rewriteLmdb } from './lmdb-rewrite.ts';
import { makePrivate } from './private-mode.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** The first key behind the archive: `0` follows `/`. */
const BEHIND_ARCHIVE = ARCHIVE.replace('/', '0');
const DATA_FILE = 'records.lmdb';
/** LMDB makes it beside the data, in this name. */
const LMDB_LOCK_FILE = `${DATA_FILE}-lock`;
/** There while pages that LMDB has given up hold what is to be out of reach. */
const ERASE_FILE = 'erase';

export class FolderStorage implements ClientStorage {
  readonly #folder: string;
  readonly #database: RootDatabase<Buffer, string>;
  readonly #lock: FolderLock;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(folder: string, database: RootDatabase<Buffer, string>, lock: FolderLock) {
    this.#folder = folder;
    this.#database = database;
    this.#lock = lock;
  }

  /**
   * Makes the folder when it is not there. Throws `ClientError`: `locked` (names the process that has it open), `corrupt` or
   * `storage-failed`.
   */
  static open(folder: string): FolderStorage {
    let lock: FolderLock | undefined;
    try {
      mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
      makePrivate(folder, FOLDER_MODE);
      lock = lockFolder(folder);
      requireLmdbFile(join(folder, DATA_FILE));
      for (const file of [DATA_FILE, LMDB_LOCK_FILE]) keepPrivate(join(folder, file));
      // overlappingSync would let a write resolve before its data is on the disk.
      const database = open<Buffer, string>({
        path: join(folder, DATA_FILE),
        encoding: 'binary',
        overlappingSync: false,
      });
      return new FolderStorage(folder, database, lock);
    } catch (error) {
      lock?.release();
      throw asClientError(error, 'storage-failed');
    }
  }

  async load(): Promise<Map<string, Uint8Array>> {
    const records = new Map<string, Uint8Array>();
    // Values of a range are views that the next step overwrites: copied here.
    for (const range of [{ end: ARCHIVE }, { start: BEHIND_ARCHIVE }])
      for (const { key, value } of this.#database.getRange(range)) records.set(key, Uint8Array.from(value));
    return records;
  }

  async read(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (this.#closed) throw new ClientError('closed', 'this storage is closed');
    await this.#lastWrite;
    return keys.map((key) => {
      const value = this.#database.get(key);
      return value && Uint8Array.from(value);
    });
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    if (this.#closed) throw new ClientError('closed', 'this storage is closed');
    // LMDB reads the values later, when the transaction runs.
    const copies = changes.map(({ key, value }) => ({ key, value: value && Buffer.from(value) }));
    const written = this.#database.transaction(() => {
      for (const { key, value } of copies) {
        if (value) this.#database.put(key, value);
        else this.#database.remove(key);
      }
    });
    this.#lastWrite = written.catch(() => undefined);
    try {
      await written;
    } catch (error) {
      throw asClientError(error, 'storage-failed');
    }
  }

  erase(): void {
    keepPrivate(join(this.#folder, ERASE_FILE));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // LMDB would refuse what waits for its turn. Transactions end in the order in which they began.
    await this.#lastWrite;
    const erase = join(this.#folder, ERASE_FILE);
    if (!existsSync(erase)) await this.#database.close();
    else if (await rewriteLmdb(this.#database, join(this.#folder, DATA_FILE))) rmSync(erase);
    this.#lock.release();
  }
}

/** LMDB leaves the mode of a new file to the umask; an empty file is a new one to it. */
function keepPrivate(path: string): void {
  closeSync(openSync(path, 'a', FILE_MODE));
  makePrivate(path, FILE_MODE);
}
