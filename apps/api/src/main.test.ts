/** The API as the operator starts it: a process, its exit codes, its one-line complaints, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';

const loader = fileURLToPath(new URL('../../../infra/scripts/swc-loader.mjs', import.meta.url));
const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sealwire-api-'));
const env = {
  PATH: process.env.PATH ?? '',
  DOMAIN: 'example.org',
  PUBLIC_ORIGIN: 'https://chat.example.org',
  TOKEN_KEY: Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url'),
  STORE_URL: 'memory:',
  LISTEN: '127.0.0.1:0',
};

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(args: string[], more: Record<string, string> = {}) {
  const options = ['--conditions=@sealwire/source', '--import', loader, main, ...args];
  const child = spawn(process.execPath, options, { env: { ...env, ...more }, cwd: folder });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    output.stdout += data;
  });
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  return { child, output };
}

async function ended(args: string[], more?: Record<string, string>) {
  const { child, output } = start(args, more);
  const [code] = await once(child, 'close');
  return { code: code as number, ...output };
}

async function listening(args: string[] = [], more?: Record<string, string>) {
  const { child, output } = start(args, more);
  const lines = () =>
    output.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  while (!output.stdout.includes('"event":"listening"')) {
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'close').then(() => Promise.reject(new Error(output.stderr))),
    ]);
  }
  const { port } = lines().find(({ event }) => event === 'listening');
  return { child, output, url: `http://127.0.0.1:${port}` };
}

describe('the API process', () => {
  it('answers, tells its version, and ends with 0 after SIGTERM', async () => {
    const { child, output, url } = await listening();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/version`)).json()).toMatchObject({ server: 'api' });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('nodejs_eventloop_lag_seconds');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output.stdout).toContain('"event":"stopped"');
    expect(output.stdout + output.stderr).not.toContain(env.TOKEN_KEY);
  }, 60_000);

  it('K14: mistakes are one line and exit code 2, without a stack', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const mistakes: [string[], Record<string, string>, RegExp][] = [
      [[], { TOKEN_KEY: '' }, /^api: TOKEN_KEY \(or TOKEN_KEY_FILE\): is not set — /],
      [['--lisen', 'x'], {}, /^api: --lisen: there is no such flag — did you mean --listen\?/],
      [['--store-url', 'oracle:x'], {}, /^api: STORE_URL: the store URL has the unknown scheme oracle:/],
      [['--listen', `127.0.0.1:${port}`], {}, /^api: LISTEN: 127.0.0.1:\d+ is in use/m],
    ];
    const answers = await Promise.all(mistakes.map(([args, more]) => ended(args, more)));
    for (const [i, { code, stderr }] of answers.entries()) {
      expect(stderr).toMatch(mistakes[i]![2]);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(2);
    }
    taken.close();
  }, 60_000);

  it('--print-config shows what is in effect, redacted; invite prints a code alone on stdout', async () => {
    const [config, invitation] = await Promise.all([
      ended(['--print-config']),
      ended(['invite', '--invite-uses', '3'], { STORE_URL: 'memory:' }),
    ]);
    expect(config.code).toBe(0);
    expect(config.stdout).toContain('GATE=invitation  # default');
    expect(config.stdout).toContain('TOKEN_KEY=(secret)  # environment');
    expect(config.stdout).not.toContain(env.TOKEN_KEY);
    expect(invitation.code).toBe(0);
    expect(invitation.stdout).toMatch(/^[A-Za-z0-9_-]{27}\n$/);
    expect(invitation.stderr).toContain('good for 3 account(s)');
  }, 60_000);
});
