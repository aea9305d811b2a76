/**
 * One process a folder: two owners of one ratchet would encrypt two messages under one key (cases F17, S21).
 *
 * Who wants the folder makes a file of its own in it, `lock.PID.START.NUMBER`, and only then looks for those of others. Of two, the one
 * that came second therefore sees the first. Of two that see each other before either has won, the smaller name goes on: the larger one
 * gives up, the smaller one waits until it has. Who has won says so by a second file, `….held`, and keeps the first one: a name that
 * changes can be overlooked by who reads the folder meanwhile. Files of the dead are removed, which is safe at any time, because their
 * names are never used again.
 *
 * A process id alone does not name an owner (containers give the same small ids again and again): on Linux the start time of the process
 * tells the two apart. The same scheme as that of the store's folders (packages/store), which ask a socket instead of the process table:
 * that takes its time, and opening a device does not wait for anything.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClientError } from '../errors.ts';

const CLAIM = /^(lock\.(\d+)\.(\d+)\.\d+)(\.held)?$/;
const FILE_MODE = 0o600;
/** For somebody who came at the same moment to give up, or to win. */
const PATIENCE_MS = 2_000;
const LOOK_EVERY_MS = 5;

let locksOfThisProcess = 0;

export interface FolderLock {
  /** Idempotent. */
  release(): void;
}

interface Claim {
  readonly name: string;
  readonly pid: number;
  readonly held: boolean;
}

/** Throws `ClientError` `locked`, which names the owner's process id. */
export function lockFolder(folder: string): FolderLock {
  const own = `lock.${process.pid}.${startOf(process.pid) ?? 0}.${++locksOfThisProcess}`;
  const make = (name: string) => writeFileSync(join(folder, name), '', { mode: FILE_MODE, flag: 'wx' });
  const release = () => remove(folder, own);
  make(own);
  try {
    for (let waited = 0; ; waited += LOOK_EVERY_MS) {
      const others = livingClaims(folder).filter(({ name }) => name !== own);
      const winner = others.find(({ name, held }) => held || name < own || waited >= PATIENCE_MS);
      if (winner) throw locked(winner, folder);
      if (others.length === 0) break;
      pauseBriefly();
    }
    make(`${own}.held`);
  } catch (error) {
    release();
    throw error;
  }
  return { release };
}

/** Of processes that live; what the dead have left is removed. */
function livingClaims(folder: string): Claim[] {
  const claims = new Map<string, Claim>();
  for (const file of readdirSync(folder)) {
    const [, name, pid, start, held] = CLAIM.exec(file) ?? [];
    if (name === undefined) continue;
    if (isAlive(Number(pid), start!))
      claims.set(name, { name, pid: Number(pid), held: held !== undefined || claims.get(name)?.held === true });
    else remove(folder, name);
  }
  return [...claims.values()];
}

/** The claim last: without it somebody else may begin. */
function remove(folder: string, name: string): void {
  rmSync(join(folder, `${name}.held`), { force: true });
  rmSync(join(folder, name), { force: true });
}

function locked({ pid, name }: Claim, folder: string): ClientError {
  return new ClientError(
    'locked',
    `process ${pid} uses this data folder: end it, or choose another profile (the lock is ${join(folder, name)})`,
  );
}

function pauseBriefly(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
}

/** `start` 0: not known. */
function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(pid);
  return start === '0' || now === undefined || now === start;
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
