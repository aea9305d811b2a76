/**
 * Fairness as a figure (docs/performance.md): the whole server as `npm start` runs it, ten sockets that flood it, and what a quiet client
 * waits beside them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTokenSigner } from '@sealwire/access/tokens';
import { systemRandom } from '@sealwire/crypto/random';
import { loadOrCreateSecret } from '@sealwire/service/secret-file';
import { openStore } from '@sealwire/store/open';
import { makeDevice } from './devices.ts';
import { floodsOf } from './floods.ts';
import { hasTaskset } from './measured-server.ts';
import type { Credentials } from './protocol.ts';
import { ASKED, type Asked, type Latencies, Quiet } from './quiet.ts';

export const FLOODING_SOCKETS = 10;
const WARM_UP_MS = 1_000;
const MEASURED_MS = 2_500;
/** The quietest counts: a neighbour on the machine can only make it longer, and a flood is the same in each. */
const ROUNDS = 3;
const DOMAIN = 'localhost';

const LOADER = fileURLToPath(new URL('../../../infra/scripts/swc-loader.mjs', import.meta.url));
const NODE = ['--conditions=@sealwire/source', '--disable-warning=ExperimentalWarning', '--import', LOADER];
const SOLO = fileURLToPath(new URL('../../solo/src/main.ts', import.meta.url));
const FLOODER = fileURLToPath(new URL('./flooder.ts', import.meta.url));

export interface Fairness {
  readonly flood: string;
  /** ms */
  readonly waits: Readonly<Record<Asked, { readonly p50: number; readonly p99: number }>>;
  readonly megabytes: number;
  readonly sockets: number;
}

/** One row a flood whose name contains `name`. */
export async function fairness(name: string): Promise<Fairness[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-fair-'));
  const port = 20_000 + (process.pid % 20_000);
  const credentials = await makeCredentials(folder, `http://localhost:${port}`);
  const server = run(0, SOLO, ['--data-dir', folder, '--listen', `127.0.0.1:${port}`, '--log-level', 'silent']);
  // It knows nothing of a bench that fails.
  const killed = () => server.kill('SIGKILL');
  process.once('exit', killed);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
      server.stdout?.once('data', () => resolve());
    });
    const rows: Fairness[] = [];
    const [victim, ...flooding] = credentials.slice(1);
    for (const [number, flood] of floodsOf(victim!.device as never, victim!.token).entries()) {
      if (!flood.name.includes(name)) continue;
      const args = [port, number, victim!.device, ...flooding.map(({ token }) => token)].map(String);
      rows.push({ flood: flood.name, ...(await beside(port, credentials, args)) });
    }
    return rows;
  } finally {
    process.off('exit', killed);
    server.removeAllListeners('exit');
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  }
}

async function beside(port: number, credentials: readonly Credentials[], args: string[]) {
  const quiet = await Quiet.open(port, credentials[0]!);
  const flooder = run(1, FLOODER, args);
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const rounds: Fairness['waits'][] = [];
  while (rounds.length < ROUNDS) rounds.push(waitsOf(await quiet.measure(MEASURED_MS)));
  const said = new Promise<{ bytes: number; sockets: number }>((resolve) => {
    flooder.once('message', (message) => resolve(message as { bytes: number; sockets: number }));
  });
  flooder.send('end');
  const { bytes, sockets } = await said;
  await new Promise((resolve) => flooder.once('exit', resolve));
  quiet.close();
  const longest = (waits: Fairness['waits']) => Math.max(...ASKED.map((asked) => waits[asked].p99));
  const [waits] = rounds.sort((a, b) => longest(a) - longest(b));
  return { waits: waits!, megabytes: bytes / 1e6 / ((WARM_UP_MS + ROUNDS * MEASURED_MS) / 1_000), sockets };
}

function waitsOf(latencies: Latencies): Fairness['waits'] {
  return Object.fromEntries(
    ASKED.map((asked) => [asked, { p50: quantile(latencies[asked], 0.5), p99: quantile(latencies[asked], 0.99) }]),
  ) as Fairness['waits'];
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.POSITIVE_INFINITY;
}

/** The quiet device, the victim, and the flooding ones; in the store before the server opens it. */
async function makeCredentials(folder: string, issuer: string): Promise<Credentials[]> {
  const seed = loadOrCreateSecret(join(folder, 'secrets', 'token.key'), 32, systemRandom);
  const signer = createTokenSigner({ seed, issuer, now: Date.now });
  const store = await openStore(`lmdb:${join(folder, 'store')}`);
  const made: Credentials[] = [];
  for (let i = 0; i < 2 + FLOODING_SOCKETS; i++) {
    const device = await makeDevice(store, `device${i}`, DOMAIN, Date.now());
    made.push({ device, token: (await signer.sign(device, ['relay'])).token });
  }
  await store.close();
  return made;
}

function run(core: number, main: string, args: readonly string[]): ChildProcess {
  const node = [...NODE, main, ...args];
  const [command, all] = hasTaskset
    ? ['taskset', ['-c', String(core), process.execPath, ...node]]
    : [process.execPath, node];
  return spawn(command, all, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
}
