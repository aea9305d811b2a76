// `npm run profile`: a server under a load, and where its processor time goes as a flame graph (docs/performance.md).
//   npm run profile -- relay.svg                          200 people in 100 pairs, one message in flight in each
//   npm run profile -- relay.svg group --members 100      any load of sealwire-load (docs/operations/load.md)
// The server is a whole one in a folder that is removed afterwards, run from source; a load of a few seconds warms it up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
const WARM_UP = '5s';
const DURATION = '10s';

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
  await loadFor(WARM_UP);
  server.kill('SIGUSR2');
  await untilItSays('profile begins');
  await loadFor(DURATION);
  server.kill('SIGUSR2');
  await untilItSays('profile written');
  const title = `sealwire-load ${kind} ${load.join(' ')}: processor time of the server, idle time left out`;
  writeFileSync(target, flameGraph(JSON.parse(readFileSync(raw, 'utf8')), title));
} finally {
  server.kill('SIGTERM');
  if (server.exitCode === null) await once(server, 'exit');
  rmSync(folder, { recursive: true });
}

async function loadFor(duration) {
  const options = ['--duration', duration, '--workers', '1', '--identities', join(folder, 'identities')];
  const url = `http://localhost:${port}`;
  const words = [...FROM_SOURCE, join(root, 'apps/load/src/main.ts'), kind, url, ...load, ...options];
  const [code] = await once(spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit'] }), 'exit');
  if (code !== 0) throw new Error(`the load ended with exit code ${code}`);
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
