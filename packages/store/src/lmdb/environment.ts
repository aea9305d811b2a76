/**
 * The LMDB environment of one data folder: its databases, its schema version, and what can be wrong
 * with the folder.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { StoreError } from '../port.ts';
import { checkDataFile } from './data-file.ts';
import { requireSpace } from './disk-space.ts';
import { quietDriver } from './driver-console.ts';
import { type FolderOwner, ownFolder } from './folder-owner.ts';

/**
 * Raised when a record's layout changes; a folder of another version is refused, not guessed at.
 */
export const SCHEMA = 'sealwire-store 5';
/** Brought up to date when they are opened (`upgrade/`), and what they are until that is done. */
export const UPGRADED = {
  schema3: 'sealwire-store 3',
  from3To4: 'sealwire-store 3 to 4',
  from3: 'sealwire-store 3 to 5',
  schema4: 'sealwire-store 4',
  from4: 'sealwire-store 4 to 5',
} as const;
const LOCK_FILE = 'lock.mdb';
const KNOWN_SCHEMAS: readonly string[] = [SCHEMA, ...Object.values(UPGRADED)];
export const SCHEMA_KEY = Buffer.from('schema');

const DATABASES = [
  'accounts', // address → record of the account, or a tombstone
  'unfinished', // address → since when nobody has finished the account; removed when somebody does
  'manifests', // address, 0, u32 version → manifest
  'devices', // device id → record of the device, or a tombstone
  'prekeys', // device id, 0, suite → identity key, signed prekey, counters
  // device id, 0, suite, 'k', order → one-time key; …, 'i', key id → its public key; of one that
  // was claimed …, 'c', key id → its public key; …, 'u', end, key id → nothing: when that may be
  // forgotten
  'onetime',
  'waiting', // device id → since when it waits
  'keyowners', // public key → the account or device that uses it
  'invitations', // hash → uses left, end
  'once', // 'k', key → end; 'u', end, key → nothing; 't' → the time by which mail expires
  'mailboxes', // device id, 0 → head; device id, 0, segment → messages (docs/adr/0002-mailbox-layout.md)
  'journal', // 'ring' → where the commit log begins (log/ring-state.ts)
  'accepted', // u48 LSN, and u16 of the record if there are several → message ids of one commit
  'apppasswords', // address, 0, id → app password
  'attachments', // address, 0, id → attachment
  'attachmentends', // u48 end, address, 0, id → nothing; an attachment of a deleted account has end 0
  'accountrecords', // address, 0, name → version, bytes
  'nesusers', // name → user of NES
  'nesuserends', // u48 end, name → nothing: of those that nobody activated
  'operatorrecords', // kind, 0, key → version, text
  'audittrail', // time as 12 hexadecimal digits, id → text
  'probe', // one record
] as const;

const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;

export type Db = Database<Buffer, Buffer>;
export type Databases = { readonly [Name in (typeof DATABASES)[number]]: Db };

export interface Environment {
  /** The folder had no store. */
  readonly isNew: boolean;
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly databases: Databases;
  /**
   * What is read from here to the end of the turn is the newest committed state. Throws when
   * closed.
   */
  readonly renew: () => void;
  readonly close: () => Promise<void>;
}

/**
 * Opens or makes the folder. Throws `StoreError` whose one line says what is wrong with it and what
 * to do.
 */
export function openEnvironment(path: string): Environment {
  let root: RootDatabase<Buffer, Buffer> | undefined;
  try {
    quietDriver();
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const isNew = checkDataFile(path) === 'new';
    // LMDB maps a lock file that it makes; without space for it the process would end by SIGBUS.
    if (!existsSync(join(path, LOCK_FILE))) requireSpace(path);
    root = open<Buffer, Buffer>({
      path,
      // A folder, whatever its name: lmdb takes a name with a dot for a file's.
      noSubdir: false,
      maxDbs: DATABASES.length + 4,
      // A commit resolves after its fdatasync, not before (the default).
      overlappingSync: false,
      // `writer.ts` gathers what belongs together; and a batch of the library's has a promise of
      // its own, which nobody could catch.
      eventTurnBatching: false,
      ...BINARY,
    });
    checkSchema(root, path);
    return environmentOf(root, isNew);
  } catch (error) {
    void root?.close();
    throw error instanceof StoreError ? error : folderError(error, path);
  }
}

/**
 * As `openEnvironment`; the folder is this process's alone until it is closed. Rejects when it is
 * another's.
 */
export async function openOwnEnvironment(path: string): Promise<Environment> {
  const owner = await ownNewFolder(path);
  try {
    const environment = openEnvironment(path);
    return { ...environment, close: () => environment.close().finally(() => owner.release()) };
  } catch (error) {
    owner.release();
    throw error;
  }
}

/** What a copy reads of a folder, whoever has it. */
export interface ReadOnly {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly journal: Db;
}

/** Throws `StoreError` as `openEnvironment`, also for a folder of an older version. */
export function openReadOnly(path: string): ReadOnly {
  let root: RootDatabase<Buffer, Buffer> | undefined;
  try {
    root = open<Buffer, Buffer>({ path, noSubdir: false, maxDbs: DATABASES.length + 4, readOnly: true, ...BINARY });
    const found = root.getBinary(SCHEMA_KEY)?.toString();
    if (found !== SCHEMA)
      throw new StoreError('corrupt', `the data folder ${path} is of an older version; start and stop the server once`);
    return { root, journal: root.openDB<Buffer, Buffer>({ name: 'journal', ...BINARY }) };
  } catch (error) {
    void root?.close();
    throw error instanceof StoreError ? error : folderError(error, path);
  }
}

async function ownNewFolder(path: string): Promise<FolderOwner> {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return await ownFolder(path);
  } catch (error) {
    throw error instanceof StoreError ? error : folderError(error, path);
  }
}

function environmentOf(root: RootDatabase<Buffer, Buffer>, isNew: boolean): Environment {
  // In one transaction, because each of its own would wait for the disk.
  const entries = root.transactionSync(() =>
    DATABASES.map((name) => [name, root.openDB<Buffer, Buffer>({ name, ...BINARY })]),
  );
  let closed = false;
  return {
    isNew,
    root,
    databases: Object.fromEntries(entries) as Databases,
    renew() {
      // Reading a closed environment would end the process.
      if (closed) throw new StoreError('unavailable', 'the store is closed');
      root.resetReadTxn();
    },
    close() {
      closed = true;
      return root.close();
    },
  };
}

/**
 * What a failed transaction becomes. Nobody can know whether a failed commit is on the disk:
 * `unavailable`.
 */
export async function writeError(error: unknown): Promise<StoreError> {
  if (error instanceof StoreError) return error;
  const cause = await commitCause(error);
  return new StoreError('unavailable', `the store could not write: ${textOf(cause)}`, { cause });
}

/** lmdb tells why a commit failed by a second promise, which rejects in the same turn. */
async function commitCause(error: unknown): Promise<unknown> {
  const { commitError } = (error ?? {}) as { commitError?: Promise<never> };
  if (!commitError) return error;
  const cause = await Promise.race([
    commitError.catch((reason: unknown) => reason),
    new Promise((resolve) => setImmediate(resolve)),
  ]);
  return cause ?? error;
}

function checkSchema(root: RootDatabase<Buffer, Buffer>, path: string): void {
  const found = root.getBinary(SCHEMA_KEY)?.toString();
  if (found !== undefined) {
    if (KNOWN_SCHEMAS.includes(found)) return;
    throw new StoreError(
      'corrupt',
      `the data folder ${path} has the format "${found}", not "${SCHEMA}"; use its version of Sealwire`,
    );
  }
  for (const _ of root.getKeys({ limit: 1 }))
    throw new StoreError(
      'corrupt',
      `the folder ${path} holds an LMDB database of another program; choose another folder`,
    );
  root.transactionSync(() => {
    // Two processes may have come here together; both write the same.
    root.putSync(SCHEMA_KEY, Buffer.from(SCHEMA));
  });
}

export function folderError(error: unknown, path: string): StoreError {
  const { code } = error as { code?: string | number };
  const options = { cause: error };
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return new StoreError(
        'not-found',
        `the data folder ${path} is a file or lies under one; choose a folder`,
        options,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 13:
    case 1:
    case 30:
      return new StoreError(
        'unavailable',
        `the data folder ${path} cannot be written; give this user write permission`,
        options,
      );
    case 'ENOSPC':
    case 28:
      return new StoreError('unavailable', `no space left for the data folder ${path}; free some`, options);
    case -30793:
    case -30794:
      return new StoreError(
        'corrupt',
        `the folder ${path} holds no LMDB database that can be read; choose another folder`,
        options,
      );
    default:
      return new StoreError('unavailable', `the data folder ${path} cannot be opened: ${textOf(error)}`, options);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
