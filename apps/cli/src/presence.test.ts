/** Presence and typing from the command line (docs/spec/presence.md). */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type InProcess, type InProcessOptions, openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-presence-'));
let server: Awaited<ReturnType<typeof startServer>>;

const open = (name: string, args: string[], options: InProcessOptions = {}): InProcess => {
  const env = { SEALWIRE_SERVER: server.origin };
  return openInProcess(join(folder, name), args, { runtime: REAL_RUNTIME, env, ...options });
};
const as = (name: string, ...args: string[]): Promise<Result> => open(name, args).ended;

beforeAll(async () => {
  server = await startServer(join(folder, 'server'), ['--logins-per-device', '0', '--logins-per-address', '0']);
  for (const name of ['alice', 'bob']) {
    mkdirSync(join(folder, name));
    expect(await as(name, 'register', '-u', name, '--no-passphrase')).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

it('is off, is switched on, and shows to whom', async () => {
  expect((await as('alice', 'presence')).stdout).toBe('online: not shown, typing: not shown\n');
  const on = await as('alice', 'presence', 'on', '--only', 'online');
  expect(on).toMatchObject({ code: 0, stdout: 'online: shown, typing: not shown\n' });
  expect(on.stderr).toContain('sealwire presence show -t bob');
  const { stdout } = await as('alice', 'presence', 'show', '-t', 'bob', '--json');
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { event: 'presence', online: true, typing: false },
    { event: 'peer-presence', account: expect.stringMatching(/^sip:bob@/), state: null },
  ]);
  const away = await as('alice', 'presence', 'away');
  expect([away.code, away.stderr]).toEqual([3, expect.stringContaining('while `listen` or `chat` is connected')]);
});

it('listen and chat show who comes and who types; what listens takes orders', async () => {
  await as('alice', 'presence', 'on');
  await as('bob', 'presence', 'on');
  await as('bob', 'presence', 'show', '-t', 'alice');
  await as('alice', 'presence', 'show', '-t', 'bob');
  // Each gives the other its key.
  await as('alice', 'send', '-t', 'bob', '-m', 'hello');
  await as('bob', 'send', '-t', 'alice', '-m', 'hello');
  await as('alice', 'listen', '--until-caught-up');
  await as('bob', 'listen', '--until-caught-up');

  const listen = open('bob', ['listen', '--json']);
  const chat = open('alice', ['chat', '-t', 'bob'], { terminal: true });
  await chat.says('bob is online');
  await listen.says('"state":"online"');
  chat.stdin.write('h');
  await listen.says('"typing":true');
  expect((await as('bob', 'presence', 'away')).stdout).toMatch(/^online: shown, typing: shown\nonline +alice\n$/);
  await chat.says('bob is away');
  chat.stdin.write('i\r');
  await listen.says('"text":"hi"');
  await listen.says('"typing":false');
  listen.interrupt();
  chat.interrupt();
  const [{ stdout }] = await Promise.all([listen.ended, chat.ended]);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: string }).event);
  expect(events.filter((event) => event === 'typing')).toHaveLength(2);
});
