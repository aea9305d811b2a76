/**
 * What nginx in front of the relays costs (docs/adr/0036): the same relay, asked directly and through nginx with the configuration that operators
 * get, in turns. CPU microseconds a message that was delivered and accepted, of the relay and of nginx.
 *   node --conditions=@sealwire/source --import ../../infra/scripts/swc-loader.mjs bench/front.ts
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasTaskset, MeasuredServer } from './measured-server.ts';
import { type Load, openPairs } from './pairs.ts';

const SHAPES = { sparse: { pairs: 200, inFlight: 1 }, dense: { pairs: 20, inFlight: 16 } };
const ROUNDS = 12;
const WARM_UP_ROUNDS = 4;
const ROUND_MS = 600;
/** Of /proc/PID/stat: USER_HZ. */
const TICK_MICROS = 10_000;
const INFRA = new URL('../../../infra/nginx/', import.meta.url);

interface Costs {
  readonly relay: number[];
  readonly nginx: number[];
}

const server = await MeasuredServer.start('ours');
const front = await startNginx(server.port);
for (const [name, { pairs, inFlight }] of Object.entries(SHAPES)) {
  const devicesOf = async (prefix: string) =>
    (await server.ask({ ask: 'devices', prefix: name + prefix, count: 2 * pairs })).devices ?? [];
  const loads = {
    direct: await openPairs(server.port, 'ours', pairs, inFlight, await devicesOf('direct')),
    through: await openPairs(front.port, 'ours', pairs, inFlight, await devicesOf('through')),
  };
  const costs: Record<keyof typeof loads, Costs> = {
    direct: { relay: [], nginx: [] },
    through: { relay: [], nginx: [] },
  };
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++)
    for (const way of ['direct', 'through'] as const) {
      const { relay, nginx } = await oneRound(loads[way]);
      if (round < WARM_UP_ROUNDS) continue;
      costs[way].relay.push(relay);
      costs[way].nginx.push(nginx);
    }
  for (const way of ['direct', 'through'] as const)
    console.log(
      `${name}, ${way}: relay ${median(costs[way].relay).toFixed(1)} µs, nginx ${median(costs[way].nginx).toFixed(1)} µs a message`,
    );
  await Promise.all([loads.direct.end(), loads.through.end()]);
}
await front.end();
await server.end();

async function oneRound(load: Load): Promise<{ relay: number; nginx: number }> {
  load.resume();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = { relay: await server.cpuMicros(), nginx: front.cpuMicros(), messages: load.messages };
  await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  const messages = load.messages - before.messages;
  const relay = ((await server.cpuMicros()) - before.relay) / messages;
  const nginx = (front.cpuMicros() - before.nginx) / messages;
  await load.pause();
  return { relay, nginx };
}

/** One process, so that its CPU time can be read: without workers of its own. */
async function startNginx(relay: number) {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-front-'));
  const port = await freePort();
  const upstream = `server 127.0.0.1:${relay} max_fails=0;`;
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
    cpuMicros() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
    },
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

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
