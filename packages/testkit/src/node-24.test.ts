/** infra/scripts/node-24.mjs: the second Node of `npm test` is the one that was pinned, or there is none and the reason is said. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { root } from './faults/source-process.ts';

const { dependencies } = JSON.parse(readFileSync(join(root, 'infra/node-24/package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};
const [[name, version]] = Object.entries(dependencies) as [[string, string]];
const isPinnedPlatform = name === `node-${process.platform}-${process.arch}`;

let cache: string;

beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'sealwire-node-24-'));
});

afterAll(() => rmSync(cache, { recursive: true }));

/** With a PATH that has no npm. */
function asked(where = cache) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'infra/scripts/node-24.mjs')], {
    encoding: 'utf8',
    env: { XDG_CACHE_HOME: where, PATH: join(cache, 'nothing') },
  });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}

(isPinnedPlatform ? describe : describe.skip)('the second Node', () => {
  const path = () => join(cache, 'sealwire', `node-${version}`, 'node_modules', name, 'bin/node');

  it('is pinned with its hash', () => {
    const lock = JSON.parse(readFileSync(join(root, 'infra/node-24/package-lock.json'), 'utf8')) as {
      packages: Record<string, { version?: string; integrity?: string; resolved?: string }>;
    };
    const pinned = lock.packages[`node_modules/${name}`]!;
    expect(pinned).toMatchObject({ version, integrity: expect.stringMatching(/^sha512-/) });
    expect(pinned.resolved).toBeUndefined();
  });

  it('is the one that is recommended', () => {
    expect(readFileSync(join(root, '.node-version'), 'utf8').trim()).toBe(version);
    expect(readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8')).toMatch(
      new RegExp(`^ARG NODE_IMAGE=docker.io/library/node:${version.split('.')[0]}\\.`, 'm'),
    );
  });

  it('is not there without npm, and nothing half is left in its place', () => {
    expect(asked()).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining(`could not install ${name}@${version}`),
    });
    expect(existsSync(path())).toBe(false);
    expect(readdirSync(join(cache, 'sealwire'))).toEqual([]);
  });

  it('is not there where nothing can be kept', () => {
    const file = join(cache, 'file');
    writeFileSync(file, '');
    expect(asked(file)).toEqual({ status: 1, stdout: '', stderr: expect.stringContaining('no Node 24 here: ENOTDIR') });
  });

  it('is the one in the cache, if that is of the pinned version', () => {
    mkdirSync(dirname(path()), { recursive: true });
    const says = (text: string) => {
      writeFileSync(path(), `#!/bin/sh\necho ${text}\n`);
      chmodSync(path(), 0o755);
    };
    says(`v${version}`);
    expect(asked()).toEqual({ status: 0, stdout: path(), stderr: '' });
    says('v24.0.0');
    expect(asked()).toEqual({ status: 1, stdout: '', stderr: expect.stringContaining('does not run') });
  });
});
