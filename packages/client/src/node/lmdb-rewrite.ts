/**
 * LMDB gives pages up and leaves their bytes: what was removed can be read from the file until something else is written there. Here the file
 * is made anew from what is still in it, and the bytes of the old one are overwritten. What a file system or a disk has kept of them
 * elsewhere (a snapshot, a journal, cells that an SSD has put aside) is out of our reach.
 */
import { closeSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { makePrivate } from './private-mode.ts';

const PIECE_BYTES = 1_048_576;

/**
 * Closes `database`, whose file is `path`. False: there was no room, or the disk failed; nothing has changed then. The caller is the only
 * one who has it open.
 */
export async function rewriteLmdb(database: RootDatabase<Buffer, string>, path: string): Promise<boolean> {
  const draft = `${path}.new`;
  let isWhole = false;
  try {
    rmSync(draft, { force: true });
    // Only what is in the tree, page for page.
    await database.backup(draft, true);
    makePrivate(draft, 0o600);
    sync(draft);
    isWhole = true;
  } catch {
    // The old file is as it was, and the next owner tries again.
  }
  await database.close();
  try {
    if (isWhole) replace(path, draft);
    else rmSync(draft, { force: true });
    return isWhole;
  } catch {
    return false;
  }
}

function replace(path: string, draft: string): void {
  const old = openSync(path, 'r+');
  try {
    renameSync(draft, path);
    if (process.platform !== 'win32') sync(dirname(path));
    const zeros = new Uint8Array(PIECE_BYTES);
    const { size } = fstatSync(old);
    for (let at = 0; at < size; at += PIECE_BYTES) writeSync(old, zeros, 0, Math.min(PIECE_BYTES, size - at), at);
    fsyncSync(old);
  } finally {
    closeSync(old);
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
