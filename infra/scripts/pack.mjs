// `npm run pack`: the command line and the SDK as tarballs that install anywhere (docs/install.md), into ./packed or the folder named.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { build, root } from './build.mjs';

const WORKSPACES = [
  'packages/crypto',
  'packages/wire',
  'packages/lime',
  'packages/membership',
  'packages/cpim',
  'packages/nes',
  'packages/verification',
  'packages/client',
  'apps/cli',
];

const folder = resolve(process.argv[2] ?? 'packed');
build(['@sealwire/cli']);
mkdirSync(folder, { recursive: true });
const { status } = spawnSync(
  'npm',
  ['pack', '--silent', '--pack-destination', folder, ...WORKSPACES.flatMap((workspace) => ['-w', workspace])],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' },
);
process.exitCode = status ?? 1;
