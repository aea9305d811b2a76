/**
 * The mark of a data folder that has moved into a database (docs/operations/moving.md). Servers there give out its numbers and keys
 * from then on, so none may start on the folder. A file, which its operator can remove.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError, StoreFullError } from '../port.ts';

export const MOVED_FILE = 'moved.txt';

/** Where `folder` has moved to, `HOST/DATABASE`; undefined: it has not. */
export function movedTo(folder: string): string | undefined {
  const path = join(folder, MOVED_FILE);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  return readFileSync(path, 'utf8').split('\n', 1)[0] || 'a database';
}

/** Throws `conflict`, with the way on and the way back, when `folder` has moved. */
export function refuseMoved(folder: string): void {
  const place = movedTo(folder);
  if (place === undefined) return;
  throw new StoreError(
    'conflict',
    `the data folder ${folder} has moved to ${place}: start the servers there; only if none ever ran there, remove ${join(folder, MOVED_FILE)} to go back`,
  );
}

/** Durable once it returns. Throws a `StoreError`; then the folder is as it was. */
export function markMoved(folder: string, place: string): void {
  const path = join(folder, MOVED_FILE);
  const draft = `${path}.new`;
  try {
    const file = openSync(draft, 'w', 0o600);
    try {
      writeSync(
        file,
        `${place}\n\nThis data folder has moved to the database above. Servers there give out its numbers and keys now, and one that starts here would\ngive out the same again. Only if no server ever ran there, remove this file to go back (docs/operations/moving.md).\n`,
      );
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
    syncFolder(folder);
  } catch (error) {
    rmSync(draft, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw new StoreFullError(folder, { cause: error });
    throw new StoreError(
      'unavailable',
      `${path} cannot be written (${code}); see to it, and run the same command again`,
      { cause: error },
    );
  }
}

/** Which names are in it. Windows orders that itself. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
