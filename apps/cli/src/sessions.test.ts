/** A profile that was copied back, from the command line, with processes that end as soon as they can (docs/spec/healing.md). */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-sessions-'));
const passphraseFile = join(folder, 'passphrase');
let server: Awaited<ReturnType<typeof startServer>>;

const home = (name: string) => join(folder, name);
const data = (name: string) => join(home(name), '.local/share/sealwire', name);
const as = (name: string, ...args: string[]): Promise<Result> => {
  const env = { SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphraseFile };
  return openInProcess(home(name), args, { runtime: REAL_RUNTIME, env }).ended;
};
const listened = (name: string, ...args: string[]) => as(name, 'listen', '--until-caught-up', ...args);

async function talk(from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) {
    await as('alice', 'send', '-t', 'bob', '-m', `a${n}`);
    await listened('bob');
    await as('bob', 'send', '-t', 'alice', '-m', `b${n}`);
    await listened('alice');
  }
}

beforeAll(async () => {
  writeFileSync(passphraseFile, 'correct horse battery staple\n', { mode: 0o600 });
  server = await startServer(join(folder, 'server'), ['--logins-per-device', '0', '--logins-per-address', '0']);
  for (const name of ['alice', 'bob']) {
    mkdirSync(home(name));
    expect(await as(name, 'register', '-u', name)).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

it('heals, each side is told in one line, and doctor knows what has not come again', async () => {
  await talk(0, 0);
  const backup = join(folder, 'backup');
  cpSync(data('bob'), backup, { recursive: true });
  await talk(1, 3);
  rmSync(data('bob'), { recursive: true });
  cpSync(backup, data('bob'), { recursive: true });

  await as('alice', 'send', '-t', 'bob', '-m', 'a4');
  // What the last process had no time to acknowledge comes again, too.
  const unread = await listened('bob');
  expect(unread.stdout).not.toContain('a4');
  expect(unread.stderr.match(/a new session is begun/g)).toHaveLength(1);
  const ill = await as('bob', 'doctor');
  expect([ill.code, ill.stdout]).toEqual([1, expect.stringMatching(/^FAIL {2}sessions .* reset -t sip:alice@/m)]);
  expect((await as('bob', 'sessions')).stdout).toMatch(/^sip:alice@.*: \d+ not read\n$/);

  expect((await listened('alice')).stderr).toMatch(/could not read .* sent again/);
  expect((await listened('bob')).stdout).toContain('alice: a4\n');
  expect((await as('bob', 'doctor')).code).toBe(0);
  expect((await as('bob', 'sessions')).stdout).toBe('');
});

it('is reset by the user’s word', async () => {
  const { stdout, code } = await as('bob', 'sessions', 'reset', '-t', 'alice');
  expect([code, stdout]).toEqual([0, expect.stringContaining('new sessions with 1 device(s) of alice begin')]);
  await as('bob', 'send', '-t', 'alice', '-m', 'anew');
  expect((await listened('alice')).stdout).toBe('bob: anew\n');
  expect((await as('bob', 'sessions', 'reset', '-t', 'bob')).stdout).toContain('no other device');
  expect((await as('bob', 'sessions', 'reset', '-t', 'nobody', '--json')).code).not.toBe(0);
});
