/**
 * `backup.json` in the folder of a backup: when it was made, of what kind of store, and what is in each file, so that `verify` can tell
 * whether all of it is there. Written last: a folder without it is no backup.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../port.ts';

export const NOTE_FILE = 'backup.json';
const FORMAT = 'sealwire-backup 1';

export interface FileNote {
  readonly documents: number;
  readonly bytes: number;
  /** CRC-32 of all of it. */
  readonly check: number;
}

export interface BackupNote {
  readonly format: typeof FORMAT;
  readonly kind: 'lmdb' | 'mongodb';
  /** ms since 1970. What was accepted before `begunAt` is in it; of what came until `endedAt` a part may be. */
  readonly begunAt: number;
  readonly endedAt: number;
  readonly counts: Readonly<Record<string, number>>;
  /** By path within the folder; an embedded store has checksums of its own. */
  readonly files: Readonly<Record<string, FileNote>>;
}

/** Durable when it returns. Throws what `node:fs` throws. */
export function writeNote(folder: string, note: Omit<BackupNote, 'format'>): void {
  const file = openSync(join(folder, NOTE_FILE), 'wx', 0o600);
  try {
    writeSync(file, `${JSON.stringify({ format: FORMAT, ...note }, undefined, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Undefined: there is none. Throws `StoreError` of kind `corrupt` for one that cannot be read, or of another version. */
export function readNote(folder: string): BackupNote | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, NOTE_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw damaged(folder, error);
  }
  let note: BackupNote;
  try {
    note = JSON.parse(text) as BackupNote;
  } catch (error) {
    throw damaged(folder, error);
  }
  if (note?.format !== FORMAT)
    throw new StoreError('corrupt', `${join(folder, NOTE_FILE)} is of another version; use the program that wrote it`);
  const { kind, begunAt, endedAt, counts, files } = note;
  const isWhole = ['lmdb', 'mongodb'].includes(kind) && Number.isFinite(begunAt) && Number.isFinite(endedAt);
  if (!isWhole || typeof counts !== 'object' || typeof files !== 'object') throw damaged(folder);
  return note;
}

function damaged(folder: string, cause?: unknown): StoreError {
  return new StoreError('corrupt', `${join(folder, NOTE_FILE)} is damaged; use another backup`, { cause });
}
