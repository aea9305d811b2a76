/** `sealwire history`, over a real server: what is kept, shown, found, carried away and taken away. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type InProcess, openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-history-'));
const passphraseFile = join(folder, 'passphrase');
const filePassphrase = join(folder, 'file passphrase');
const exported = join(folder, 'alice.history');
let server: Awaited<ReturnType<typeof startServer>>;

const open = (name: string, ...args: string[]): InProcess => {
  const env = { SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphraseFile };
  return openInProcess(join(folder, name), args, { runtime: REAL_RUNTIME, env });
};
const as = (name: string, ...args: string[]): Promise<Result> => open(name, ...args).ended;
const history = (name: string, ...args: string[]) => as(name, 'history', ...args);
/** The lines of stdout without their times. */
const lines = ({ stdout }: Result) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/^([\d-]+ )?\d\d:\d\d /, ''));

beforeAll(async () => {
  for (const [file, text] of [
    [passphraseFile, 'correct horse battery staple\n'],
    [filePassphrase, 'another long passphrase\n'],
  ] as const)
    writeFileSync(file, text, { mode: 0o600 });
  server = await startServer(join(folder, 'server'), ['--logins-per-device', '0', '--logins-per-address', '0']);
  for (const name of ['alice', 'bob']) {
    mkdirSync(join(folder, name));
    // Keys without a passphrase: nothing here is about it, and argon2id takes its time.
    expect(await as(name, 'register', '-u', name, '--no-passphrase')).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

describe('history', () => {
  it('T180: is off until it is switched on', async () => {
    expect((await as('alice', 'send', '-t', 'bob', '-m', 'before')).code).toBe(0);
    expect((await history('alice')).stdout).toBe('messages are not kept\n');
    expect((await history('alice', 'show', 'bob')).stdout).toBe('');
    const on = await history('alice', 'on', '--days', '30', '--json');
    expect(on.records).toEqual([{ event: 'history', on: true, days: 30, messages: null }]);
    expect((await history('alice')).stdout).toBe('messages are kept: of the last 30 days\n');
    await as('bob', 'listen', '--until-caught-up');
    await history('bob', 'on');
  });

  it('has what send and listen have done; what it shows is read', async () => {
    await as('alice', 'send', '-t', 'bob', '-m', 'Die Straße\nnach Zürich');
    await as('bob', 'listen', '--until-caught-up');
    const list = await history('bob', 'list');
    expect(list.stdout).toMatch(/^alice \(1, 1 unread\) {2}.* Die Straße\n$/);
    expect(lines(await history('bob', 'show', 'alice'))).toEqual(['alice: Die Straße', '  nach Zürich']);
    expect((await history('bob', 'list', '--json')).records).toEqual([
      expect.objectContaining({ event: 'conversation', unread: 0, messages: 1 }),
    ]);
    await as('bob', 'send', '-t', 'alice', '-m', 'I know it');
    expect(lines(await history('bob', 'show', 'alice', '--limit', '1'))).toEqual(['bob: I know it [accepted]']);
    const [kept, older] = (await history('bob', 'show', 'alice', '--limit', '1', '--json')).records;
    expect(kept).toMatchObject({
      event: 'kept',
      text: 'I know it',
      state: 'accepted',
      from: expect.stringContaining('bob'),
    });
    const before = await history('bob', 'show', 'alice', '--before', String(older!.before), '--json');
    expect(before.records).toEqual([expect.objectContaining({ text: 'Die Straße\nnach Zürich' })]);
    expect((await history('bob', 'search', 'ZURICH strasse', '--json')).records).toHaveLength(1);
    expect((await history('bob', 'search', 'know')).stdout).toMatch(/bob \(to alice\): I know it \[accepted\]\n$/);
  });

  it('T139: has nothing of a file that opens it', async () => {
    writeFileSync(join(folder, 'photo.jpg'), 'not really');
    await as('alice', 'send', '-t', 'bob', '--file', join(folder, 'photo.jpg'));
    const shown = await history('alice', 'show', 'bob', '--json');
    expect(shown.records.at(-1)).toMatchObject({ file: { name: 'photo.jpg', size: 10 } });
    expect(shown.stdout).not.toMatch(/"(key|url|digest|bytes|body)"/);
    expect((await history('alice', 'show', 'bob')).stdout).toContain('alice: file photo.jpg (image/jpeg, 10 bytes)');
  });

  it('goes into a file and comes out of it, elsewhere too', async () => {
    const withFile = ['--file-passphrase-file', filePassphrase];
    expect((await history('alice', 'export', exported, ...withFile)).code).toBe(0);
    expect(readFileSync(exported).includes('Zürich')).toBe(false);
    expect(statSync(exported).size).toBeGreaterThan(300);
    const again = await history('alice', 'export', exported, ...withFile);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('--force')]);
    expect((await history('bob', 'clear', '--yes')).code).toBe(0);
    const wrong = await history('bob', 'import', exported, '--file-passphrase-file', passphraseFile);
    expect([wrong.code, wrong.stderr]).toEqual([4, expect.stringContaining('does not open this file')]);
    const taken = await history('bob', 'import', exported, ...withFile, '--json');
    expect(taken.records).toEqual([{ event: 'history-imported', added: 3, passedOver: 0 }]);
  });

  it('all of it goes on while listen has the keys', async () => {
    const listen = open('alice', 'listen');
    await as('bob', 'send', '-t', 'alice', '-m', 'while you listen');
    await listen.says('while you listen');
    expect(lines(await history('alice', 'show', 'bob', '--limit', '1'))).toEqual(['bob: while you listen']);
    expect((await history('alice', 'list')).stdout).toContain('while you listen');
    const again = await history('alice', 'import', exported, '--file-passphrase-file', filePassphrase);
    expect(again.stdout).toBe('0 messages put in, 3 were there already\n');
    expect((await history('alice', 'off')).stdout).toBe('messages are not kept\n');
    await as('bob', 'send', '-t', 'alice', '-m', 'not for keeps');
    await listen.says('not for keeps');
    expect((await history('alice', 'show', 'bob')).stdout).not.toContain('not for keeps');
    listen.interrupt();
    await listen.ended;
  });

  it('is taken away when that was meant', async () => {
    const unsure = await history('alice', 'clear', '-t', 'bob');
    expect([unsure.code, unsure.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect((await history('alice', 'clear', '-t', 'bob', '--yes')).code).toBe(0);
    expect((await history('alice', 'list')).stdout).toBe('');
  });
});
