/** nginx in front of measured relays, with the configuration that operators get (infra/nginx). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processorTime } from '../../../packages/store/bench/processor-time.ts';
import { hasTaskset } from './measured-server.ts';

const INFRA = new URL('../../../infra/nginx/', import.meta.url);

export interface Nginx {
  readonly port: number;
  readonly pid: number;
  /** CPU microseconds so far, in steps of ten thousand. */
  cpuMicros(): number;
  end(): Promise<void>;
}

/** One process, so that its CPU time can be read: without workers of its own. `relays`: their ports. */
export async function startNginx(relays: readonly number[]): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-front-'));
  const port = await freePort();
  const upstream = relays.map((relay) => `server 127.0.0.1:${relay} max_fails=0;`).join(' ');
  const values: Record<string, string> = {
    ...{ LISTEN: `127.0.0.1:${port}`, SERVER_NAME: '_' },
    ...{ API: upstream, DIRECTORY: upstream, RELAY: upstream },
  };
  mkdirSync(join(folder, 'conf.d'));
  const template = readFileSync(new URL('sealwire.conf.template', INFRA), 'utf8');
  const text = template.replace(/\$\{([A-Z_]+)\}/g, (all, key: string) => values[key] ?? all);
  writeFileSync(join(folder, 'conf.d/sealwire.conf'), text);
  const main = readFileSync(new URL('nginx.conf', INFRA), 'utf8').replace(
    'worker_processes auto;',
    'master_process off;',
  );
  writeFileSync(join(folder, 'nginx.conf'), main);
  const args = ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', 'stderr'];
  const [command, all] = hasTaskset ? ['taskset', ['-c', '1', 'nginx', ...args]] : ['nginx', args];
  const child = spawn(command, all, { stdio: 'ignore' });
  // It is written when nginx listens.
  for await (const { filename } of watch(folder)) if (filename === 'nginx.pid') break;
  return {
    port,
    pid: child.pid!,
    cpuMicros: () => processorTime(child.pid!),
    async end() {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
