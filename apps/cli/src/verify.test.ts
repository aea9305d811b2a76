/** Two people verify each other from the command line (docs/spec/verification.md). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type InProcess, openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-verify-'));
const passphraseFile = join(folder, 'passphrase');
let server: Awaited<ReturnType<typeof startServer>>;

const open = (name: string, args: readonly string[], options: { terminal?: boolean } = {}): InProcess => {
  const env = { SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphraseFile };
  return openInProcess(join(folder, name), args, { runtime: REAL_RUNTIME, env, ...options });
};
const as = (name: string, ...args: string[]): Promise<Result> => open(name, args).ended;
const numberOf = async (name: string, other: string) =>
  (await as(name, 'verify', other, '--show', '--json')).records.find(({ event }) => event === 'safety-number') as {
    digits: string;
    code: string;
  };

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

it('by number and by code; what is wrong changes nothing', async () => {
  const hers = await numberOf('alice', 'bob');
  const his = await numberOf('bob', 'alice');
  expect(his.digits).toBe(hers.digits);
  const wrong = `${hers.digits.slice(1)}${hers.digits[0]}`;
  expect(await as('alice', 'verify', 'bob', '--number', wrong)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('bob is not trusted'),
  });
  expect((await as('alice', 'verify', 'bob', '--number', '123')).code).toBe(2);
  expect((await as('alice', 'verify', 'bob', '--scan', hers.code)).code).toBe(1);
  expect((await as('alice', 'trust', '--json')).records).toMatchObject([{ devices: [{ trust: 'untrusted' }] }]);
  expect(await as('alice', 'verify', 'bob', '--number', hers.digits)).toMatchObject({ stdout: 'bob is trusted\n' });
  expect(await as('bob', 'verify', 'alice', '--scan', hers.code)).toMatchObject({ stdout: 'alice is trusted\n' });
  expect(await as('alice', 'verify', 'bob', '--withdraw')).toMatchObject({ code: 0 });
  expect((await as('alice', 'trust', '--json')).records).toMatchObject([{ devices: [{ trust: 'untrusted' }] }]);
  expect((await as('alice', 'verify')).code).toBe(2);
  expect((await as('alice', 'verify', 'bob', '--start', '--show')).code).toBe(2);
});

it('by a policy that sends to nobody else', async () => {
  expect((await as('alice', 'trust', 'policy', 'trusted-only')).stdout).toMatch(/^trusted-only +all others: /);
  expect(await as('alice', 'send', '-t', 'bob', '-m', 'x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is not trusted'),
  });
  expect((await as('alice', 'trust', 'policy', 'everyone', '-t', 'bob', '--json')).records).toMatchObject([
    { event: 'trust-policy', policy: 'everyone' },
  ]);
  expect((await as('alice', 'send', '-t', 'bob', '-m', 'x')).code).toBe(0);
  expect((await as('alice', 'trust', 'policy', '--json')).records.map(({ policy }) => policy)).toEqual([
    'trusted-only',
    'everyone',
  ]);
});

it('by four characters: one side listens and answers by another process, the other asks on a terminal', async () => {
  const listen = open('bob', ['listen']);
  await listen.says('');
  const verify = open('alice', ['verify', 'bob', '--start'], { terminal: true });
  await listen.says('alice wants to compare four characters');
  const accepted = await as('bob', 'verify', 'alice', '--accept', '--json');
  const [{ characters }] = accepted.records as [{ characters: string }];
  expect(characters).toMatch(/^.{4}$/);
  await verify.says(`compare with bob, on the telephone or side by side: ${characters}`);
  await verify.says('Does bob see the same four characters?');
  const same = as('bob', 'verify', 'alice', '--same');
  verify.stdin.write('y\n');
  expect(await same).toMatchObject({ code: 0, stdout: 'alice is verified\n' });
  expect(await verify.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('bob is verified\n') });
  expect(listen.stderrSoFar()).toContain('alice is verified');
  expect(await as('bob', 'verify', 'alice', '--same')).toMatchObject({ code: 2 });
  listen.interrupt();
  await listen.ended;
});

it('by four characters in chat: declined there, told here', async () => {
  const chat = open('bob', ['chat', '-t', 'alice'], { terminal: true });
  await chat.says('chatting with alice');
  const alone = await as('alice', 'verify', 'bob', '--start');
  expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('while `sealwire listen` runs')]);
  const verify = open('alice', ['verify', 'bob', '--start'], { terminal: true });
  await chat.says('alice wants to compare four characters');
  chat.stdin.write('/verify\r');
  await chat.says('compare with alice');
  await verify.says('Does bob see the same');
  chat.stdin.write('/cancel\r');
  await chat.says('alice: the comparison was ended');
  verify.stdin.write('y\n');
  // Whether it has heard of the end before the answer or after it.
  const { code, stderr } = await verify.ended;
  expect([code !== 0, stderr]).toEqual([
    true,
    expect.stringMatching(/was ended, nothing has changed|begin one with --start/),
  ]);
  chat.interrupt();
  await chat.ended;
});
