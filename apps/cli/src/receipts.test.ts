/** Receipts from the command line: their level, and what of them is shown (docs/spec/messages.md section 7). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type InProcess, openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-receipts-'));
const passphraseFile = join(folder, 'passphrase');
let server: Awaited<ReturnType<typeof startServer>>;

const open = (name: string, ...args: string[]): InProcess => {
  const env = { SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphraseFile };
  return openInProcess(join(folder, name), args, { runtime: REAL_RUNTIME, env });
};
const as = (name: string, ...args: string[]): Promise<Result> => open(name, ...args).ended;

beforeAll(async () => {
  writeFileSync(passphraseFile, 'correct horse battery staple\n', { mode: 0o600 });
  server = await startServer(join(folder, 'server'), ['--logins-per-device', '0', '--logins-per-address', '0']);
  for (const name of ['alice', 'bob']) {
    mkdirSync(join(folder, name));
    expect(await as(name, 'register', '-u', name)).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

it('are shown and chosen, for all and for one', async () => {
  expect((await as('alice', 'receipts')).stdout).toMatch(/^delivered +all others: .* not that they were read\n$/);
  expect((await as('alice', 'receipts', 'on')).stdout).toMatch(/^on +all others: /);
  expect((await as('alice', 'receipts', 'off', '-t', 'carol', '--json')).stdout).toMatch(
    /^{"event":"receipts","to":"sip:carol@.*","level":"off"}\n$/,
  );
  const { stdout } = await as('alice', 'receipts', '--json');
  const shown = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { to: string | null; level: string });
  expect(shown.map(({ level }) => level)).toEqual(['on', 'off']);
  expect((await as('alice', 'receipts', '-t', 'bob')).stdout).toMatch(/^on +bob: /);
  const wrong = await as('alice', 'receipts', 'loud');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Allowed choices are on, delivered, off')]);
});

it('tell the other side what chat has shown, and are printed by listen', async () => {
  await as('bob', 'receipts', 'on');
  await as('bob', 'send', '-t', 'alice', '-m', 'here I am');
  await as('alice', 'listen', '--until-caught-up');
  expect((await as('alice', 'send', '-t', 'bob', '-m', 'hello')).code).toBe(0);
  const chat = open('bob', 'chat', '-t', 'alice');
  const listen = open('alice', 'listen');
  await chat.says('alice: hello');
  await listen.says('bob has read a message of yours');
  listen.interrupt();
  chat.interrupt();
  const [{ stdout, stderr }] = await Promise.all([listen.ended, chat.ended]);
  expect(stdout).toBe('');
  expect(stderr).toContain('bob has a message of yours\n');
});
