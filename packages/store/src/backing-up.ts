/**
 * `backup`, `verify` and `restore` of a store by its URL (docs/operations/backup.md): a folder that goes on meanwhile, or a database that
 * servers go on using, into a folder of files; and back into one that is empty.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attachmentsIn, backUpMongo, faultsOfDocuments } from './backup/mongo-backup.ts';
import { restoreMongo } from './backup/mongo-restore.ts';
import { type BackupNote, NOTE_FILE, readNote, writeNote } from './backup/note.ts';
import { backupLmdbStore, syncPath } from './lmdb/backup.ts';
import { markRestored, type Restored } from './lmdb/restored.ts';
import { verifyLmdbStore } from './lmdb/verify.ts';
import { openLmdbWalk } from './lmdb.ts';
import { parseUrl } from './mongo/server-check.ts';
import { type Attachment, StoreError } from './port.ts';

export { type BackupNote, readNote, writeNote } from './backup/note.ts';
export { markRestored } from './lmdb/restored.ts';

const STORE_FOLDER = 'store';
const LOCK_FILE = 'lock.mdb';

export interface BackupTerms {
  /** `lmdb:FOLDER` or `mongodb://…`. */
  readonly url: string;
  /** Of the backup. */
  readonly folder: string;
  readonly now: () => number;
  /** See `OpenTerms`. */
  readonly production?: boolean;
}

/** A backup that was made or looked at: its faults are those of the store too, if the store has any. */
export interface BackupVerdict {
  readonly note: BackupNote;
  /** One line each. */
  readonly faults: readonly string[];
}

/**
 * Into a folder that is empty; the note that makes a backup of it is the last thing written (`noteBackup`, once all else is there). Rejects
 * with a `StoreError` whose line names the fix, or with what `node:fs` says of `folder`.
 */
export async function backUpStore(terms: BackupTerms): Promise<BackupVerdict> {
  const { url, folder, now, production = true } = terms;
  const begunAt = now();
  const path = folderOf(url);
  if (path === undefined) {
    const contents = await backUpMongo({ url, production }, folder);
    const note = { format: 'sealwire-backup 1', kind: 'mongodb', begunAt, endedAt: now(), ...contents } as const;
    return { note, faults: await faultsOfDocuments(folder, note) };
  }
  mkdirSync(join(folder, STORE_FOLDER), { mode: 0o700 });
  const { counts, faults } = await backupLmdbStore(path, join(folder, STORE_FOLDER));
  const note = { format: 'sealwire-backup 1', kind: 'lmdb', begunAt, endedAt: now(), counts, files: {} } as const;
  return { note, faults };
}

/** From here on `folder` is a backup. */
export function noteBackup(folder: string, { note }: BackupVerdict): void {
  const { kind, begunAt, endedAt, counts, files } = note;
  writeNote(folder, { kind, begunAt, endedAt, counts, files });
}

/** Reads all of it, and changes nothing. Rejects with `StoreError`: `not-found` when it is none. */
export async function verifyBackup(folder: string): Promise<BackupVerdict> {
  const note = demandNote(folder);
  if (note.kind === 'mongodb') return { note, faults: await faultsOfDocuments(folder, note) };
  const { faults } = await verifyLmdbStore(join(folder, STORE_FOLDER));
  rmSync(join(folder, STORE_FOLDER, LOCK_FILE), { force: true });
  return { note, faults };
}

/**
 * Of a backup that `verifyBackup` found whole, into a folder or database that is empty, of the same kind. Rejects with a `StoreError`
 * that names the fix; what was cut off in a database goes on with the same call, a folder is emptied first.
 */
export async function restoreStore(terms: BackupTerms): Promise<Restored> {
  const { url, folder, now, production = true } = terms;
  const note = demandNote(folder);
  const path = folderOf(url);
  const kind = path === undefined ? 'mongodb' : 'lmdb';
  if (note.kind !== kind)
    throw new StoreError(
      'conflict',
      `the backup is of a store ${note.kind === 'lmdb' ? 'lmdb:FOLDER' : 'mongodb://…'}: restore it into one of that kind${note.kind === 'lmdb' ? ', and take it to a database by copy-store' : ''}`,
    );
  if (path === undefined) return restoreMongo({ url, production }, folder, note, now());
  if (existsSync(path) && readdirSync(path).length > 0)
    throw new StoreError('conflict', `${path} is not empty; name another folder, or move that one away`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const draft = `${path}.restoring`;
  rmSync(draft, { recursive: true, force: true });
  await cp(join(folder, STORE_FOLDER), draft, { recursive: true, filter: (from) => !from.endsWith(LOCK_FILE) });
  const restored = await markRestored(draft, now());
  rmSync(join(draft, LOCK_FILE), { force: true });
  moveInto(draft, path);
  return restored;
}

/** The files that the accounts of a backup know of, complete and not over by `now`. Of one without faults. */
export async function* attachmentsOf(
  folder: string,
  note: BackupNote,
  now: number,
): AsyncGenerator<Pick<Attachment, 'id' | 'bytes'>> {
  if (note.kind === 'mongodb') return yield* attachmentsIn(folder, note, now);
  const walk = await openLmdbWalk(join(folder, STORE_FOLDER));
  try {
    for (const { held } of walk.attachments())
      for (const one of held) if (one.isComplete && one.expiresAt > now) yield one;
  } finally {
    await walk.close();
    rmSync(join(folder, STORE_FOLDER, LOCK_FILE), { force: true });
  }
}

/** Undefined: it is a database. Throws for what is neither. */
function folderOf(url: string): string | undefined {
  const [, path] = /^lmdb:(.+)$/.exec(url) ?? [];
  if (path !== undefined) return path;
  if (/^mongodb(\+srv)?:/.test(url)) {
    parseUrl(url, false);
    return undefined;
  }
  throw new StoreError('not-found', 'only lmdb:FOLDER and mongodb://HOST/DATABASE have backups: set STORE_URL');
}

function demandNote(folder: string): BackupNote {
  const note = readNote(folder);
  if (note) return note;
  throw new StoreError('not-found', `${folder} is no backup: it has no ${NOTE_FILE}; name a folder that backup wrote`);
}

/** The store is there as a whole or not at all. */
function moveInto(draft: string, path: string): void {
  for (const name of [...readdirSync(draft), '.']) syncPath(join(draft, name));
  rmdirSync(path);
  renameSync(draft, path);
  syncPath(dirname(path));
}
