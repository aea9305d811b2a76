/**
 * One process a folder: two owners of one ratchet would encrypt two messages under one key (cases F17, S21).
 *
 * The lock is a file that names its owner. `link` makes it, because it never replaces what is there. A lock whose owner has died is
 * moved away first; whoever moved something else than what it had judged dead puts that back. A process id alone does not name an
 * owner (containers give the same small ids again and again): on Linux the start time of the process tells the two apart.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClientError } from '../errors.ts';

const LOCK_FILE = 'lock';
const ATTEMPTS = 5;
const FILE_MODE = 0o600;

let locksOfThisProcess = 0;

export interface FolderLock {
  /** Idempotent. */
  release(): void;
}

/** Throws `ClientError` `locked`, which names the owner's process id. */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, LOCK_FILE);
  const own = `${process.pid} ${startOf(process.pid) ?? '-'} ${++locksOfThisProcess}\n`;
  const draft = besides(path);
  writeFileSync(draft, own, { mode: FILE_MODE });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (tryLink(draft, path)) return { release: () => releaseLock(path, own) };
      const held = readLock(path);
      if (held === undefined) continue;
      if (isAlive(held)) throw locked(held, path);
      moveAway(path, held);
    }
    throw new ClientError('locked', `${folder} is being opened by other processes at this moment: try again`);
  } finally {
    rmSync(draft, { force: true });
  }
}

function releaseLock(path: string, own: string): void {
  if (readLock(path) === own) rmSync(path, { force: true });
}

function locked(held: string, path: string): ClientError {
  const pid = held.split(' ')[0];
  return new ClientError(
    'locked',
    `process ${pid} uses this data folder: end it, or choose another profile (the lock is ${path})`,
  );
}

function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file name that no other process and no other call makes. */
function besides(path: string): string {
  return `${path}.${process.pid}-${startOf(process.pid) ?? 0}-${++locksOfThisProcess}`;
}

function moveAway(path: string, dead: string): void {
  const aside = besides(path);
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readLock(aside) !== dead) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function isAlive(held: string): boolean {
  const [pidText, start] = held.trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(pid);
  return start === '-' || now === undefined || now === start;
}

/** When a process started, in clock ticks since boot (field 22 of proc(5) stat); undefined where there is no such file. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
