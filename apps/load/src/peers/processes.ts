/** Processes of other programs: how they are started, what they cost, and how they end. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { LoadError } from '../errors.ts';

const NS_IN_US = 1_000;
const US_IN_TICK = 10_000;
const KIB = 1_024;
const START_WITHIN_MS = 60_000;
const END_WITHIN_MS = 10_000;

/** What these processes and all that they started have taken of the processors, µs; undefined where the system does not say. */
export function cpuMicrosOf(pids: readonly number[]): number | undefined {
  return sumOf(pids, (pid) => {
    try {
      // Each thread in nanoseconds; threads that have ended are not in it, and none of these servers ends its own.
      const threads = readdirSync(`/proc/${pid}/task`);
      return (
        threads.reduce((sum, thread) => sum + Number(firstWord(`/proc/${pid}/task/${thread}/schedstat`)), 0) / NS_IN_US
      );
    } catch {
      // A kernel without that has the clock's ticks.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) * US_IN_TICK;
    }
  });
}

/** Their resident memory, bytes; undefined where the system does not say. */
export function memoryOf(pids: readonly number[]): number | undefined {
  return sumOf(pids, (pid) => {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) * KIB;
  });
}

function sumOf(pids: readonly number[], read: (pid: number) => number): number | undefined {
  if (pids.length === 0) return undefined;
  try {
    const sum = [...pids].flatMap(withChildren).reduce((total, pid) => total + read(pid), 0);
    return Number.isFinite(sum) ? sum : undefined;
  } catch {
    return undefined;
  }
}

function withChildren(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(withChildren)];
}

function firstWord(path: string): string {
  return readFileSync(path, 'utf8').split(' ', 1)[0]!;
}

/** Whether `path` can be run here. */
export function isInstalled(path: string, argument: string): boolean {
  return spawnSync(path, [argument], { stdio: 'ignore' }).error === undefined;
}

/** Of 127.0.0.1; free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Resolves when the process has said `text` on stdout or stderr, with all that it said. Rejects with a `LoadError` when it ends before. */
export function untilItSays(child: ChildProcess, name: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new LoadError('failure', `${name} ${why}: ${said.trim().split('\n').at(-1)?.slice(0, 300) ?? ''}`));
    };
    const timer = setTimeout(() => fail('does not get ready'), START_WITHIN_MS);
    const hear = (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-8_192);
      if (!said.includes(text)) return;
      clearTimeout(timer);
      resolve(said);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', (error) => fail(`cannot be started (${error.message})`));
    child.once('exit', (code, signal) => fail(`has ended by itself (${signal ?? code})`));
  });
}

/** SIGTERM; what does not end by that is killed. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
  await ended;
  clearTimeout(killing);
}
