/**
 * Where a device keeps everything it must not lose: keys, ratchets, outbox, inbox. Records of opaque bytes under text keys.
 * The SDK loads all records once and keeps them in memory; from then on it only writes. Adapters: memory, folder (LMDB, Node),
 * IndexedDB (browser), and `sealed-storage.ts`, which encrypts what another adapter keeps.
 *
 * Records whose key begins with `ARCHIVE` may be many (docs/spec/history.md section 2): a storage that has `read` keeps them out of `load`,
 * and hands them out one by one.
 */
export const ARCHIVE = 'history/';

export interface StorageChange {
  readonly key: string;
  /** Absent: the record goes away. */
  readonly value?: Uint8Array;
}

export interface ClientStorage {
  /** All records; with `read`, all but the archived ones. The arrays belong to the caller. Throws `ClientError` `corrupt` or `wrong-passphrase`. */
  load(): Promise<Map<string, Uint8Array>>;
  /**
   * All of `changes` or none; durable when the promise resolves (it survives kill -9 and a power cut). The arrays are copied before
   * the call returns. Rejects with `ClientError` `storage-failed` or `storage-full`; the outcome is then unknown until the next `load`.
   */
  write(changes: readonly StorageChange[]): Promise<void>;
  /**
   * Archived records, in the order of `keys`; undefined: there is none. The arrays belong to the caller. Sees what was written before the
   * call. Absent: archived records are loaded, and take memory, like all others.
   */
  read?(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /**
   * What was removed or replaced up to now is to be out of reach of who reads the medium, as far as the storage can see to that: by the end
   * of `close` at the latest, of the next owner's after a crash. Absent: it cannot.
   */
  erase?(): void;
  /** Waits for what is under way and lets go of the lock. Idempotent. */
  close(): Promise<void>;
}
