/** The API as the operator starts it: a process, its exit codes, its one-line complaints, its end. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { serverProcesses } from '@sealwire/service/testing/server-process';

const env = {
  DOMAIN: 'example.org',
  PUBLIC_ORIGIN: 'https://chat.example.org',
  TOKEN_KEY: Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url'),
  STORE_URL: 'memory:',
  LISTEN: '127.0.0.1:0',
};
const processes = serverProcesses(import.meta.url);
const start = (args: string[] = [], more: Record<string, string> = {}) => processes.start(args, { ...env, ...more });

describe('the API process', () => {
  it('answers, tells its version, and ends with 0 after SIGTERM', async () => {
    const server = start();
    const url = await server.listening();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/version`)).json()).toMatchObject({ server: 'api' });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('nodejs_eventloop_lag_seconds');
    server.child.kill('SIGTERM');
    const { code, signal, stdout, stderr } = await server.ended;
    expect([code, signal]).toEqual([0, null]);
    expect(stdout).toContain('"event":"stopped"');
    expect(stdout + stderr).not.toContain(env.TOKEN_KEY);
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
    const answers = await Promise.all(mistakes.map(([args, more]) => start(args, more).ended));
    for (const [i, { code, stderr }] of answers.entries()) {
      expect(stderr).toMatch(mistakes[i]![2]);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(2);
    }
    taken.close();
  }, 60_000);

  it('invite asks the server that runs on the folder, and a second server is refused in one line', async () => {
    const folder = join(processes.folder, 'store');
    const lmdb = { STORE_URL: `lmdb:${folder}` };
    const server = start([], lmdb);
    await server.listening();
    const [invitation, elsewhere, unreached, second] = await Promise.all([
      start(['invite'], lmdb).ended,
      start(['invite', '--admin-socket', join(processes.folder, 'other.sock')], lmdb).ended,
      start(['invite', '--invite-days', '3651'], lmdb).ended,
      start([], lmdb).ended,
    ]);
    expect([invitation.code, invitation.stdout]).toEqual([0, expect.stringMatching(/^[\w-]{27}\n$/)]);
    expect([unreached.code, unreached.stderr]).toEqual([2, expect.stringContaining('from 1 to 3650')]);
    // Nobody listens there, and the folder is the server's.
    const owned = `STORE_URL: the data folder ${folder} is in use by process ${server.child.pid}, `;
    for (const [name, refused] of [
      ['invite', elsewhere],
      ['api', second],
    ] as const) {
      expect([refused.code, refused.stderr.trim().split('\n').length]).toEqual([2, 1]);
      expect(refused.stderr).toContain(`${name}: ${owned}`);
    }
  }, 60_000);

  it('--print-config shows what is in effect, redacted; invite prints a code alone on stdout', async () => {
    const [config, invitation] = await Promise.all([
      start(['--print-config']).ended,
      start(['invite', '--invite-uses', '3']).ended,
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
