// `npm run profile`: a server under a load, and where its processor time goes as a flame graph (docs/performance.md).
//   npm run profile -- relay.svg                          200 people in 100 pairs, one message in flight in each
//   npm run profile -- relay.svg group --members 100      any load of sealwire-load (docs/operations/load.md)
// Logins and the server's first seconds are not in the graph.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { flameGraph } from './flame-graph.mjs';
import { root, startLoad, withServer } from './loaded-server.mjs';

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
const profiles = mkdtempSync(join(tmpdir(), 'sealwire-profile-'));
const raw = join(profiles, 'profile.json');
const preload = ['--import', join(root, 'infra/scripts/profiled.mjs')];
try {
  await withServer({ preload, environment: { PROFILE_INTO: raw } }, async ({ server, url, folder, says }) => {
    await loadFor(DURATION, url, folder, async (heard) => {
      await heard(`${kind} begins`);
      await setTimeout(WARM_UP_MS);
      server.kill('SIGUSR2');
      await heard(`${kind} over`);
      server.kill('SIGUSR2');
    });
    await says('profile written');
  });
  const title = `sealwire-load ${kind} ${load.join(' ')}: processor time of the server, idle time left out`;
  writeFileSync(target, flameGraph(JSON.parse(readFileSync(raw, 'utf8')), title));
} finally {
  rmSync(profiles, { recursive: true });
}

/** `watch`: is handed what resolves when the load has said a text. */
async function loadFor(duration, url, folder, watch) {
  const options = ['--duration', duration, '--workers', '1', '--identities', join(folder, 'identities')];
  const child = startLoad([kind, url, ...load, ...options], { stdio: ['ignore', 'inherit', 'pipe'] });
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
