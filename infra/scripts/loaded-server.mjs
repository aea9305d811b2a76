// A whole server, run from source in a folder that is removed afterwards, without limits; and sealwire-load on it. For `npm run profile` and
// `npm run pictures`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
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
  'bundles-per-pair',
  'bundles-per-target',
  'bundles-per-requester',
  'key-uploads-per-device',
  'manifest-writes-per-address',
].flatMap((name) => [`--${name}`, '0']);

/**
 * Runs `use` with a server, and ends it. `preload`: what Node loads before it; `environment`: its variables. `use` gets the server's
 * process, its address, its folder, and `says`, which resolves when it has said a text and rejects when it has ended.
 */
export async function withServer({ preload = [], environment = {} }, use) {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-loaded-'));
  const port = await freePort();
  const argv = ['--listen', `127.0.0.1:${port}`, '--data-dir', join(folder, 'data'), ...WITHOUT_LIMITS];
  const server = spawn(process.execPath, [...FROM_SOURCE, ...preload, join(root, 'apps/solo/src/main.ts'), ...argv], {
    env: { PATH: process.env.PATH, ...environment },
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-4_096);
    });
  const says = (text) =>
    new Promise((resolve, reject) => {
      const look = () => said.includes(text) && resolve();
      server.stdout.on('data', look);
      server.stderr.on('data', look);
      server.once('exit', () => reject(new Error(`the server has ended: ${said}`)));
      look();
    });
  try {
    await says('Sealwire listens');
    return await use({ server, url: `http://localhost:${port}`, folder, says });
  } finally {
    server.kill('SIGTERM');
    if (server.exitCode === null) await once(server, 'exit');
    rmSync(folder, { recursive: true });
  }
}

/** `sealwire-load` with `words`, from source. */
export function startLoad(words, options) {
  return spawn(process.execPath, [...FROM_SOURCE, join(root, 'apps/load/src/main.ts'), ...words], options);
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const free = probe.address().port;
  probe.close();
  await once(probe, 'close');
  return free;
}
