/** The real process: listens, says what is wrong in one line, and drains on SIGTERM. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { TestClient } from './testing/test-client.ts';

jest.setTimeout(30_000);

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sealwire-relay-'));
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENV = {
  LISTEN: '127.0.0.1:0',
  DOMAIN: 'relay.test',
  PUBLIC_ORIGIN: 'http://localhost:1',
  TOKEN_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
  STORE_URL: `lmdb:${join(folder, 'store')}`,
};

function relay(env: Record<string, string>): ChildProcess {
  const loader = join(root, 'infra/scripts/swc-loader.mjs');
  const child = spawn(
    process.execPath,
    ['--conditions=@sealwire/source', '--import', loader, join(root, 'apps/relay/src/main.ts')],
    { cwd: folder, env: { PATH: process.env.PATH ?? '', ...env } },
  );
  started.push(child);
  return child;
}

async function outputUntil(child: ChildProcess, text: string): Promise<string> {
  let output = '';
  for await (const chunk of child.stdout!.setEncoding('utf8')) {
    output += chunk;
    if (output.includes(text)) break;
  }
  return output;
}

describe('the process', () => {
  it('listens, is ready, takes sockets, and ends in order on SIGTERM', async () => {
    const child = relay(ENV);
    const line = (await outputUntil(child, '"listening"')).split('\n').find((text) => text.includes('"listening"'))!;
    const { host, port } = JSON.parse(line) as { host: string; port: number };
    expect((await fetch(`http://${host}:${port}/readyz`)).status).toBe(200);
    expect(await (await fetch(`http://${host}:${port}/metrics`)).text()).toContain('sealwire_relay_connections 0');
    const client = await TestClient.connect(`ws://${host}:${port}/relay`);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await client.closed).code).toBe(4000);
    expect(await ended).toEqual([0, null]);
  });

  it('K14: a missing setting is one line with the fix, and exit code 2', async () => {
    const { TOKEN_JWKS_URL: _, ...env } = ENV;
    const child = relay(env);
    let errors = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(errors).toMatch(/^relay: TOKEN_JWKS_URL: is not set — for example TOKEN_JWKS_URL=http\S+\n$/);
  });
});
