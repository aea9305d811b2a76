// `npm run profile`: a server under a load, and where its processor time goes as a flame graph (docs/performance.md).
//   npm run profile -- relay.svg                          200 people in 100 pairs, one message in flight in each
//   npm run profile -- relay.svg group --members 100      any load of sealwire-load (docs/operations/load.md)
// The server is a whole one in a folder that is removed afterwards, run from source; logins and its first seconds are not in the graph.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { flameGraph } from './flame-graph.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const FROM_SOURCE = [
  '--conditions=@sealwire/source',
  '--disable-warning=ExperimentalWarning',
  '--import',
  join(root, 'infra/scripts/swc-loader.mjs'),
];
const WITHOUT_LIMITS = [
  'accounts-per-address',
  'logins-per-address',
  'logins-per-device',
  'messages-per-pair',
  'messages-per-recipient',
  'bytes-per-sender',
].flatMap((name) => [`--${name}`, '0']);
/** Logins are over when it begins; then the server gets warm, and then it is looked at. */
const WARM_UP_MS = 5_000;
const DURATION = '15s';

const [target, kind = 'chat', ...settings] = process.argv.slice(2);
if (target === undefined) {
  process.stderr.write('usage: npm run profile -- FILE.svg [chat|group|…, with its options]\n');
  process.exit(2);
}
const load =
  settings.length > 0 || kind !== 'chat' ? settings : ['--pairs', '100', '--in-flight', '1', '--size', '1KiB'];
const folder = mkdtempSync(join(tmpdir(), 'sealwire-profile-'));
const raw = join(folder, 'profile.json');
const port = await freePort();
const preload = ['--import', join(root, 'infra/scripts/profiled.mjs')];
const argv = ['--listen', `127.0.0.1:${port}`, '--data-dir', join(folder, 'data'), ...WITHOUT_LIMITS];
const server = spawn(process.execPath, [...FROM_SOURCE, ...preload, join(root, 'apps/solo/src/main.ts'), ...argv], {
  env: { PATH: process.env.PATH, PROFILE_INTO: raw },
});
let said = '';
for (const stream of [server.stdout, server.stderr])
  stream.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-4_096);
  });
try {
  await untilItSays('Sealwire listens');
  await loadFor(DURATION, async (heard) => {
    await heard(`${kind} begins`);
    await setTimeout(WARM_UP_MS);
    server.kill('SIGUSR2');
    await heard(`${kind} over`);
    server.kill('SIGUSR2');
  });
  await untilItSays('profile written');
  const title = `sealwire-load ${kind} ${load.join(' ')}: processor time of the server, idle time left out`;
  writeFileSync(target, flameGraph(JSON.parse(readFileSync(raw, 'utf8')), title));
} finally {
  server.kill('SIGTERM');
  if (server.exitCode === null) await once(server, 'exit');
  rmSync(folder, { recursive: true });
}

/** `watch`: is handed what resolves when the load has said a text. */
async function loadFor(duration, watch) {
  const options = ['--duration', duration, '--workers', '1', '--identities', join(folder, 'identities')];
  const url = `http://localhost:${port}`;
  const words = [...FROM_SOURCE, join(root, 'apps/load/src/main.ts'), kind, url, ...load, ...options];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'pipe'] });
  let told = '';
  child.stderr.on('data', (chunk) => {
    process.stderr.write(chunk);
    told += chunk;
  });
  const ended = once(child, 'close');
  const heard = (text) =>
    new Promise((resolve, reject) => {
      const look = () => told.includes(text) && resolve();
      child.stderr.on('data', look);
      ended.then(([code]) => reject(new Error(`the load ended with exit code ${code} before it said "${text}"`)));
      look();
    });
  await watch(heard);
  await ended;
}

function untilItSays(text) {
  return new Promise((resolve, reject) => {
    const look = () => said.includes(text) && resolve();
    server.stdout.on('data', look);
    server.stderr.on('data', look);
    server.once('exit', () => reject(new Error(`the server has ended: ${said}`)));
    look();
  });
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const free = probe.address().port;
  probe.close();
  await once(probe, 'close');
  return free;
}
