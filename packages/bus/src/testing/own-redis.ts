/** A Redis of the test's own, which it may configure, empty and kill as it likes. Keeps nothing on the disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
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
export async function startRedis(...settings: readonly string[]): Promise<OwnRedis> {
  const port = await freePort();
  const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  let child: ChildProcess;

  async function start(): Promise<void> {
    child = spawn('redis-server', [...own, ...settings]);
    for await (const chunk of child.stdout!) if (`${chunk}`.includes('Ready to accept connections')) break;
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
