/** A Redis of the test's own, which it may configure, empty and kill as it likes. Keeps nothing on the disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

/** Whether `redis-server` is installed here. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

export interface OwnRedis {
  /** HOST:PORT */
  readonly host: string;
  readonly port: number;
  /** As its default user, who needs no password yet. */
  readonly admin: Redis;
  /** Ends it with SIGKILL and starts it empty, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** `settings`: `--name`, `value`, … */
export function startRedis(...settings: readonly string[]): Promise<OwnRedis> {
  return startServer([], settings);
}

/** A sentinel that knows the Redis at `port`, and its password, by the name `main`; with `own` it asks for that one itself. */
export async function startSentinel(port: number, password: string, own?: string): Promise<OwnRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  const watched = [`sentinel monitor main 127.0.0.1 ${port} 1`, `sentinel auth-pass main ${password}`];
  await writeFile(file, [...watched, ...(own === undefined ? [] : [`requirepass ${own}`]), ''].join('\n'));
  const sentinel = await startServer([file, '--sentinel'], []);
  return {
    ...sentinel,
    async stop() {
      await sentinel.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** `first`: what stands before all settings. */
async function startServer(first: readonly string[], settings: readonly string[]): Promise<OwnRedis> {
  const port = await freePort();
  const ofData = first.length > 0 ? [] : ['--save', '', '--appendonly', 'no'];
  const own = [...first, ...ofData, ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', tmpdir()]];
  let child: ChildProcess;

  async function start(): Promise<void> {
    child = spawn('redis-server', [...own, ...settings]);
    for await (const chunk of child.stdout!) if (/Ready to accept connections|Sentinel ID is/.test(`${chunk}`)) break;
  }
  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  await start();
  const admin = new Redis({ host: '127.0.0.1', port, lazyConnect: true });
  admin.on('error', () => {});
  return {
    host: `127.0.0.1:${port}`,
    port,
    admin,
    async restart() {
      await kill();
      await start();
    },
    async stop() {
      admin.disconnect();
      await kill();
    },
  };
}
