/**
 * `npm run bench -w apps/directory`: server CPU time of a bundle read, of a durable claim of a one-time key and of a durable registration,
 * beside a bare node:http server that reads the same bundle request and answers with as many bytes; and how many a second over sixteen
 * connections. Rounds alternate; the medians of the ratios count.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeCrypto } from '@sealwire/crypto/node';
import { encodeRequest, LIME_CONTENT_TYPE } from '@sealwire/wire/lime-server';
import { testDevice } from '../src/testing/device.ts';

const ROUNDS = 5;
const REQUESTS = 2_000;
const CONNECTIONS = 16;
const REGISTRATIONS = 400;
/** As many as liblime brings when it registers. */
const ONE_TIME_KEYS = 100;

interface Hello {
  readonly address: { readonly port: number };
  readonly headers?: Readonly<Record<string, string>>;
  readonly withKeys?: string;
  readonly withoutKeys?: string;
  /** Tokens of the devices named `user0`, `user1`, … */
  readonly tokens?: readonly string[];
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

interface Figure {
  /** Microseconds of the server's CPU a request. */
  readonly cpu: number;
  readonly perSecond: number;
}

async function measure(child: ChildProcess, count: number, send: (i: number) => Promise<void>): Promise<Figure> {
  const before = await cpuMicros(child);
  const begin = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < count) await send(next++);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  const seconds = (performance.now() - begin) / 1000;
  return { cpu: ((await cpuMicros(child)) - before) / count, perSecond: count / seconds };
}

function round({ child, hello }: { child: ChildProcess; hello: Hello }, device: string): Promise<Figure> {
  const headers = { 'content-type': LIME_CONTENT_TYPE, ...hello.headers };
  const body = encodeRequest({ kind: 'getPeerBundle', suite: 'c25519', devices: [device] });
  return measure(child, REQUESTS, () => post(hello.address.port, headers, body));
}

/** Devices that register for the first time, each with its own identity key and signed prekey. */
function registrations({ child, hello }: { child: ChildProcess; hello: Required<Hello> }): Promise<Figure> {
  const crypto = nodeCrypto();
  const ids = Array.from({ length: ONE_TIME_KEYS }, (_, i) => i + 1);
  const oneTimePrekeys = testDevice(crypto, 'user0').oneTime('c25519', ...ids);
  const requests = hello.tokens.map((token, i) => {
    const device = testDevice(crypto, `user${i}`);
    const headers = { 'content-type': LIME_CONTENT_TYPE, authorization: `Bearer ${token}`, from: device.id };
    return { headers, body: encodeRequest({ ...device.registration('c25519'), oneTimePrekeys }) };
  });
  return measure(child, requests.length, (i) => post(hello.address.port, requests[i]!.headers, requests[i]!.body));
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'));
const bare = await start('bare');
const ours = await start('directory', folder, String(REGISTRATIONS));
const { withKeys, withoutKeys } = ours.hello as Required<Hello>;
for (const [server, device] of [
  [bare, withoutKeys],
  [ours, withoutKeys],
  [ours, withKeys],
] as const)
  await round(server, device);

const figures: { bare: Figure; read: Figure; claim: Figure }[] = [];
for (let i = 0; i < ROUNDS; i++)
  figures.push({
    bare: await round(bare, withoutKeys),
    read: await round(ours, withoutKeys),
    claim: await round(ours, withKeys),
  });
const registration = await registrations(ours as { child: ChildProcess; hello: Required<Hello> });
const of = (name: 'bare' | 'read' | 'claim', figure: keyof Figure) => median(figures.map((each) => each[name][figure]));
const ratio = (name: 'read' | 'claim') => median(figures.map((each) => each[name].cpu / each.bare.cpu)).toFixed(2);
const line = (title: string, cpu: number, perSecond: number, more = '') =>
  console.log(`${title.padEnd(15)} ${cpu.toFixed(1)} µs of CPU a request, ${perSecond.toFixed(0)} a second${more}`);
line('node:http', of('bare', 'cpu'), of('bare', 'perSecond'));
line('bundle read', of('read', 'cpu'), of('read', 'perSecond'), `; ${ratio('read')} × node:http (goal 1.8)`);
line('durable claim', of('claim', 'cpu'), of('claim', 'perSecond'), `; ${ratio('claim')} × node:http (goal 12)`);
line('registration', registration.cpu, registration.perSecond, `; with ${ONE_TIME_KEYS} one-time prekeys, durable`);

for (const { child } of [bare, ours]) child.disconnect();
agent.destroy();
rmSync(folder, { recursive: true });
