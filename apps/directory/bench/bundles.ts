/**
 * `npm run bench -w apps/directory`: server CPU time of a bundle read and of a durable claim of a one-time key, beside a bare node:http
 * server that reads the same request and answers with as many bytes. Rounds alternate; the medians of the ratios count.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeRequest, LIME_CONTENT_TYPE } from '@sealwire/wire/lime-server';

const ROUNDS = 5;
const REQUESTS = 2_000;
const CONNECTIONS = 16;

interface Hello {
  readonly address: { readonly port: number };
  readonly headers?: Readonly<Record<string, string>>;
  readonly withKeys?: string;
  readonly withoutKeys?: string;
}

async function start(...args: string[]): Promise<{ child: ChildProcess; hello: Hello }> {
  const child = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), args);
  const [hello] = (await once(child, 'message')) as [Hello];
  return { child, hello };
}

async function cpuMicros(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage];
  return user + system;
}

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

function post(port: number, headers: Record<string, string>, body: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = {
      agent,
      host: '127.0.0.1',
      port,
      path: '/lime',
      method: 'POST',
      headers: { ...headers, 'content-length': body.length },
    };
    const sent = request(options, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume().on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** CPU microseconds of the server per request. */
async function round({ child, hello }: { child: ChildProcess; hello: Hello }, device: string): Promise<number> {
  const headers = { 'content-type': LIME_CONTENT_TYPE, ...hello.headers };
  const body = encodeRequest({ kind: 'getPeerBundle', curve: 'c25519', devices: [device] });
  const before = await cpuMicros(child);
  let left = REQUESTS;
  const lane = async () => {
    while (left-- > 0) await post(hello.address.port, headers, body);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  return ((await cpuMicros(child)) - before) / REQUESTS;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'));
const bare = await start('bare');
const ours = await start('directory', folder);
const { withKeys, withoutKeys } = ours.hello as Required<Hello>;
for (const [server, device] of [
  [bare, withoutKeys],
  [ours, withoutKeys],
  [ours, withKeys],
] as const)
  await round(server, device);

const figures: { bare: number; read: number; claim: number }[] = [];
for (let i = 0; i < ROUNDS; i++)
  figures.push({
    bare: await round(bare, withoutKeys),
    read: await round(ours, withoutKeys),
    claim: await round(ours, withKeys),
  });
const micros = (name: 'bare' | 'read' | 'claim') => median(figures.map((figure) => figure[name])).toFixed(1);
const ratio = (name: 'read' | 'claim') => median(figures.map((figure) => figure[name] / figure.bare)).toFixed(2);
console.log(`node:http       ${micros('bare')} µs of CPU a request`);
console.log(`bundle read     ${micros('read')} µs, ${ratio('read')} × node:http (goal 1.8)`);
console.log(`durable claim   ${micros('claim')} µs, ${ratio('claim')} × node:http (goal 12)`);

for (const { child } of [bare, ours]) child.disconnect();
agent.destroy();
rmSync(folder, { recursive: true });
