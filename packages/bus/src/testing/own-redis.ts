/** A Redis of the test's own, which it may configure as it likes. Keeps nothing on the disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';

/** Whether `redis-server` is installed here. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

export interface OwnRedis {
  /** HOST:PORT */
  readonly host: string;
  /** As its default user, who needs no password yet. */
  readonly admin: Redis;
  stop(): Promise<void>;
}

/** `settings`: `--name`, `value`, … */
export async function startRedis(...settings: readonly string[]): Promise<OwnRedis> {
  const port = await freePort();
  const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  const child: ChildProcess = spawn('redis-server', [...own, ...settings]);
  for await (const chunk of child.stdout!) if (`${chunk}`.includes('Ready to accept connections')) break;
  const admin = new Redis({ host: '127.0.0.1', port });
  admin.on('error', () => {});
  return {
    host: `127.0.0.1:${port}`,
    admin,
    async stop() {
      admin.disconnect();
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
