/** Copies what lies in a data folder beside its store, for its owner only, and durable once it returns. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * Files and folders of `from`, but for those of `left`, into `to`, which is made if need be. Sockets and links are left out. Answers the
 * paths of the files, from `to` on. Throws what `node:fs` throws, also for a file that is there.
 */
export function copyFolder(from: string, to: string, left: readonly string[] = []): string[] {
  const copied: string[] = [];
  if (!existsSync(to)) mkdirSync(to, { mode: 0o700 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (left.includes(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copied.push(...copyFolder(source, target).map((path) => join(entry.name, path)));
    if (!entry.isFile()) continue;
    copyFileSync(source, target, constants.COPYFILE_EXCL);
    chmodSync(target, 0o600);
    makeDurable(target);
    copied.push(entry.name);
  }
  makeDurable(to);
  return copied.sort();
}

/** Of a folder: which names are in it. Where a folder cannot be opened, its file system orders that itself. */
export function makeDurable(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (process.platform === 'win32') return;
    throw error;
  }
  try {
    fsyncSync(file);
  } catch (error) {
    if (process.platform !== 'win32') throw error;
  } finally {
    closeSync(file);
  }
}
