// A second Node beside the one that runs: what depends on the platform is tested on both (docs/testing.md). Its binary comes as an npm package,
// pinned with its hash in infra/node-24/package-lock.json, and is kept in the user's cache.
//
//   node infra/scripts/node-24.mjs     prints the binary's path; exit code 1 and a line why there is none
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const pinned = fileURLToPath(new URL('../node-24', import.meta.url));
const INSTALL_MS = 120_000;

/** `{ path }`, or `{ reason }` why there is none here. `cache`: a folder that is made when it is not there. */
export function node24(cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sealwire')) {
  const [[name, version]] = Object.entries(JSON.parse(readFileSync(join(pinned, 'package.json'), 'utf8')).dependencies);
  if (name !== `node-${process.platform}-${process.arch}`) return { reason: `${name} is not for this machine` };
  const folder = join(cache, `node-${version}`);
  const path = join(folder, 'node_modules', name, 'bin/node');
  if (!existsSync(path)) {
    // Renamed when it is whole: two that install at once do not see halves.
    const fresh = `${folder}.${process.pid}`;
    try {
      mkdirSync(fresh, { recursive: true });
      for (const file of ['package.json', 'package-lock.json']) cpSync(join(pinned, file), join(fresh, file));
    } catch (error) {
      return { reason: error.message };
    }
    const { status, stderr, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: fresh,
      encoding: 'utf8',
      timeout: INSTALL_MS,
    });
    if (status === 0 && !existsSync(folder)) renameSync(fresh, folder);
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(path))
      return { reason: `npm could not install ${name}@${version}: ${error?.message ?? lastLine(stderr)}` };
  }
  const told = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (told.stdout?.trim() !== `v${version}`) return { reason: `${path} does not run: ${lastLine(told.stderr)}` };
  return { path };
}

function lastLine(text) {
  return text?.trim().split('\n').at(-1) || 'it says nothing';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { path, reason } = node24();
  if (path) console.log(path);
  else {
    console.error(`no Node 24 here: ${reason}`);
    process.exitCode = 1;
  }
}
