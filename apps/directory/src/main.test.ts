/** The real process: listens, says what is wrong in one line, and ends in order on SIGTERM. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';

jest.setTimeout(30_000);

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sealwire-directory-'));
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENV = {
  LISTEN: '127.0.0.1:0',
  DOMAIN: 'directory.test',
  PUBLIC_ORIGIN: 'http://localhost:1',
  TOKEN_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
  STORE_URL: `lmdb:${join(folder, 'store')}`,
};

function directory(env: Record<string, string>): ChildProcess {
  const loader = join(root, 'infra/scripts/swc-loader.mjs');
  const child = spawn(
    process.execPath,
    ['--conditions=@sealwire/source', '--import', loader, join(root, 'apps/directory/src/main.ts')],
    { cwd: folder, env: { PATH: process.env.PATH ?? '', ...env } },
  );
  started.push(child);
  return child;
}

async function lineWith(child: ChildProcess, text: string): Promise<string> {
  let output = '';
  for await (const chunk of child.stdout!.setEncoding('utf8')) {
    output += chunk;
    const line = output.split('\n').find((each) => each.includes(text));
    if (line) return line;
  }
  throw new Error(`no ${text} in ${output}`);
}

describe('the process', () => {
  it('listens, is ready, answers, and ends in order on SIGTERM', async () => {
    const child = directory(ENV);
    const { host, port } = JSON.parse(await lineWith(child, '"listening"')) as { host: string; port: number };
    const url = `http://${host}:${port}`;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/directory/manifests/alice`)).status).toBe(404);
    expect((await fetch(`${url}/lime`, { method: 'POST' })).status).toBe(401);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('K14: a store URL of no kind is one line with the fix, and exit code 2', async () => {
    const child = directory({ ...ENV, STORE_URL: 'nothing' });
    let errors = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(errors).toMatch(/^directory: STORE_URL: .*not a store URL.*\n$/);
  });
});
