/** Copies what lies in a data folder beside its store, for its owner only, and durable once it returns. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  type Dirent,
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
  return copyThere(from, to, left, false);
}

/** As `copyFolder`, of a folder of a server that runs: what is deleted meanwhile is left out. */
export function copyLivingFolder(from: string, to: string): string[] {
  return copyThere(from, to, [], true);
}

function copyThere(from: string, to: string, left: readonly string[], isLiving: boolean): string[] {
  const copied: string[] = [];
  if (!existsSync(to)) mkdirSync(to, { mode: 0o700 });
  for (const entry of entriesOf(from, isLiving)) {
    if (left.includes(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory())
      copied.push(...copyThere(source, target, [], isLiving).map((path) => join(entry.name, path)));
    if (!entry.isFile()) continue;
    if (!copyFile(source, target, isLiving)) continue;
    chmodSync(target, 0o600);
    makeDurable(target);
    copied.push(entry.name);
  }
  makeDurable(to);
  return copied.sort();
}

function entriesOf(folder: string, isLiving: boolean): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isLiving && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** False: it is gone. */
function copyFile(source: string, target: string, isLiving: boolean): boolean {
  try {
    copyFileSync(source, target, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (isLiving && (error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
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
