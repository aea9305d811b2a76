/**
 * A device's records in a browser: one IndexedDB database each, one page or worker at a time.
 * IndexedDB is not encrypted: `SealedStorage` around it keeps the records from who reads the disk
 * (docs/spec/client.md section 2).
 */
import { ClientError, corruptStorage } from '../errors.ts';
import { platformTimers, type Timers } from '../runtime.ts';
import { ARCHIVE, type ClientStorage, type StorageChange } from '../storage/storage.ts';
import { lockDevice } from './device-lock.ts';
import {
  browser,
  type Database,
  type DatabaseFactory,
  type DatabaseRequest,
  type DatabaseTransaction,
  type LockManager,
} from './platform.ts';

const VERSION = 2;
const RECORDS = 'records';
/** What is not loaded, since version 2. */
const ARCHIVED = 'archived';

export interface IndexedDbPlatform {
  readonly indexedDB: DatabaseFactory;
  readonly locks: LockManager;
  readonly timers: Timers;
}

export class IndexedDbStorage implements ClientStorage {
  readonly #database: Database;
  readonly #release: () => void;
  readonly #waiting = new Set<(reason: ClientError) => void>();
  #lastWrite: Promise<unknown> = Promise.resolve();
  #ended: ClientError | undefined;

  private constructor(database: Database, release: () => void) {
    this.#database = database;
    this.#release = release;
    database.onversionchange = () => this.#end(gone('another page deleted or upgraded it'));
    database.onclose = () => this.#end(gone('the browser removed it'));
  }

  /**
   * `name`: of the database, one for each device; made when it is not there. Throws `ClientError`:
   * `locked` (another page has it open), `storage-full` or `storage-failed`.
   */
  static async open(name: string, platform: IndexedDbPlatform = platformOfPage()): Promise<IndexedDbStorage> {
    const { indexedDB, locks, timers } = platform;
    let storage: IndexedDbStorage | undefined;
    let taken: ClientError | undefined;
    const release = await lockDevice(name, locks, timers, (reason) => {
      taken = reason;
      if (storage) storage.#end(reason);
    });
    try {
      const database = await openDatabase(indexedDB, name);
      storage = new IndexedDbStorage(database, release);
      if (taken) storage.#end(taken);
      return storage;
    } catch (error) {
      release();
      throw failure(error);
    }
  }

  async load(): Promise<Map<string, Uint8Array>> {
    if (this.#ended) throw this.#ended;
    const store = this.#database.transaction(RECORDS, 'readonly').objectStore(RECORDS);
    // In one transaction, and both in the order of the keys.
    const answers = Promise.all([answerOf(store.getAllKeys()), answerOf(store.getAll())]);
    const [keys, values] = await this.#untilEnd(answers);
    const records = new Map<string, Uint8Array>();
    for (const [at, key] of keys.entries()) {
      const value = values[at];
      if (typeof key !== 'string' || !ArrayBuffer.isView(value)) throw corruptStorage('the database of this device');
      records.set(key, value as Uint8Array);
    }
    return records;
  }

  async read(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (this.#ended) throw this.#ended;
    // It waits for writing transactions of this store that began before it.
    const store = this.#database.transaction(ARCHIVED, 'readonly').objectStore(ARCHIVED);
    const values = await this.#untilEnd(Promise.all(keys.map((key) => answerOf(store.get(key)))));
    return values.map((value) => {
      if (value !== undefined && !ArrayBuffer.isView(value)) throw corruptStorage('the database of this device');
      return value as Uint8Array | undefined;
    });
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    if (this.#ended) throw this.#ended;
    const written = this.#write(changes);
    this.#lastWrite = written.catch(() => undefined);
    await written;
  }

  async close(): Promise<void> {
    this.#ended ??= new ClientError('closed', 'this storage is closed');
    // Transactions end in the order in which they began.
    await this.#lastWrite;
    this.#database.close();
    this.#release();
  }

  async #write(changes: readonly StorageChange[]): Promise<void> {
    let transaction: DatabaseTransaction | undefined;
    try {
      // Without it a browser may say "done" before the disk has it.
      const stores = changes.some(({ key }) => key.startsWith(ARCHIVE)) ? [RECORDS, ARCHIVED] : RECORDS;
      transaction = this.#database.transaction(stores, 'readwrite', { durability: 'strict' });
      for (const { key, value } of changes) {
        const store = transaction.objectStore(key.startsWith(ARCHIVE) ? ARCHIVED : RECORDS);
        // What is stored of a view is all of its buffer.
        if (value) store.put(value.slice(), key);
        else store.delete(key);
      }
    } catch (error) {
      // Else it would commit what came before the fault.
      transaction?.abort();
      throw failure(error);
    }
    await this.#untilEnd(this.#completed(transaction));
  }

  #completed(transaction: DatabaseTransaction): Promise<void> {
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(failure(transaction.error ?? this.#ended));
    });
  }

  /** Of a transaction under way while the browser removes the database, Chromium at times tells nothing more. */
  #untilEnd<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      answer.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  #end(reason: ClientError): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#database.close();
    for (const reject of this.#waiting) reject(reason);
  }
}

function platformOfPage(): IndexedDbPlatform {
  const { indexedDB, navigator } = browser;
  if (indexedDB && navigator?.locks) return { indexedDB, locks: navigator.locks, timers: platformTimers };
  throw new ClientError(
    'storage-failed',
    'this page has no IndexedDB or no Web Locks: serve it by https, to a browser of 2022 or newer',
  );
}

async function openDatabase(factory: DatabaseFactory, name: string): Promise<Database> {
  const request = factory.open(name, VERSION);
  request.onupgradeneeded = () => {
    const missing = [RECORDS, ARCHIVED].filter((store) => !request.result.objectStoreNames.contains(store));
    for (const store of missing) request.result.createObjectStore(store);
  };
  return answerOf(request);
}

function answerOf<T>(request: DatabaseRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(failure(request.error));
  });
}

function failure(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const { name, message } = error as Error;
  if (name === 'QuotaExceededError')
    return new ClientError(
      'storage-full',
      `the browser has no room for this device (${message}): free some, then load the page again`,
      { cause: error },
    );
  if (name === 'VersionError')
    return new ClientError(
      'storage-failed',
      'a newer version of this program wrote these records: load the page again',
      { cause: error },
    );
  return new ClientError('storage-failed', `the browser’s database failed (${name}: ${message}): load the page again`, {
    cause: error,
  });
}

function gone(why: string): ClientError {
  return new ClientError('storage-failed', `the database of this device is closed, since ${why}: open it again`);
}
