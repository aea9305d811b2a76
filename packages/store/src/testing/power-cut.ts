/** What a power cut leaves of a data folder whose store is open and does nothing just now. */
import { copyFileSync, existsSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const JOURNAL = 'journal.dat';
export const MARK = 'journal.mark';

/** Copies the folder's files, or only these, to a new folder; its path. The lock file is not one of them: it says who is running. */
export function copyOf(path: string, files: readonly string[] = ['data.mdb', JOURNAL, MARK]): string {
  const copy = mkdtempSync(join(tmpdir(), 'sealwire-copy-'));
  for (const file of files) if (existsSync(join(path, file))) copyWhole(join(path, file), join(copy, file));
  return copy;
}

/** Again when the file grew meanwhile: LMDB writes in a thread of its own, and pages are there before a meta page names them. */
function copyWhole(from: string, to: string): void {
  for (let size = -1; statSync(from).size !== size; ) {
    size = statSync(from).size;
    copyFileSync(from, to);
  }
}
