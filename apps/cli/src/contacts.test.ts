/** Contacts, blocks and requests from the command line, alone and through a process that has the keys (docs/spec/contacts.md). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type InProcess, openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-contacts-'));
const passphraseFile = join(folder, 'passphrase');
let server: Awaited<ReturnType<typeof startServer>>;

const open = (name: string, ...args: string[]): InProcess => {
  const env = { SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphraseFile };
  return openInProcess(join(folder, name), args, { runtime: REAL_RUNTIME, env });
};
const as = (name: string, ...args: string[]): Promise<Result> => open(name, ...args).ended;
const records = async (name: string, ...args: string[]): Promise<Record<string, unknown>[]> =>
  (await as(name, ...args, '--json')).stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeAll(async () => {
  writeFileSync(passphraseFile, 'correct horse battery staple\n', { mode: 0o600 });
  server = await startServer(join(folder, 'server'), ['--logins-per-device', '0', '--logins-per-address', '0']);
  for (const name of ['alice', 'bob', 'eve']) {
    mkdirSync(join(folder, name));
    expect(await as(name, 'register', '-u', name)).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

it('contacts are added, renamed, listed and removed', async () => {
  const added = await as('alice', 'contacts', 'add', 'bob', '--name', 'Bob of the choir', '--note', 'owes me a book');
  expect([added.code, added.stdout]).toEqual([0, 'bob               Bob of the choir  (owes me a book)\n']);
  await as('alice', 'contacts', 'add', 'carol');
  const [bob, carol] = await records('alice', 'contacts', 'list');
  expect(bob).toMatchObject({ event: 'contact', name: 'Bob of the choir', note: 'owes me a book' });
  expect(bob!.address).toMatch(/^sip:bob@/);
  expect(carol).toMatchObject({ name: '' });
  await as('alice', 'contacts', 'rename', 'carol', 'Caroline');
  expect((await as('alice', 'contacts')).stdout).toBe(
    'bob               Bob of the choir  (owes me a book)\ncarol             Caroline\n',
  );
  expect((await as('alice', 'contacts', 'remove', 'carol')).stdout).toBe('carol is no contact any more\n');
  expect(await records('alice', 'contacts')).toHaveLength(1);
  for (const [args, says] of [
    [['contacts', 'remove', 'carol'], 'is no contact: add it first'],
    [['contacts', 'add', 'a b'], '"a b": '],
    [['contacts', 'accept', 'carol'], 'has not asked'],
    [['contacts', 'policy', 'nobody'], 'Allowed choices are everyone, requests, contacts'],
  ] as const) {
    const wrong = await as('alice', ...args);
    expect([wrong.code === 0, wrong.stderr]).toEqual([false, expect.stringContaining(says)]);
  }
});

it('through `listen`, which has the keys: a stranger asks, is accepted, and another one is blocked', async () => {
  expect((await as('alice', 'contacts', 'policy', 'requests')).stdout).toMatch(/^requests +strangers may send/);
  const listen = open('alice', 'listen');
  expect((await as('eve', 'send', '-t', 'alice', '-m', 'let me in')).code).toBe(0);
  await listen.says('eve asks to write to you: let me in (sealwire contacts accept eve)');
  const again = await as('eve', 'send', '-t', 'alice', '-m', 'please');
  expect([again.code === 0, again.stderr]).toEqual([false, expect.stringContaining('short message a day')]);
  expect((await as('alice', 'contacts', 'requests')).stdout).toBe('eve: let me in\n');
  expect(await records('alice', 'contacts', 'accept', 'eve', '--name', 'Eve')).toMatchObject([{ name: 'Eve' }]);
  expect((await as('eve', 'send', '-t', 'alice', '-m', 'thank you')).code).toBe(0);
  await listen.says('eve: thank you');
  expect((await as('alice', 'contacts', 'requests')).stdout).toBe('');
  expect((await as('alice', 'block', 'eve')).stdout).toBe('eve is blocked\n');
  expect((await as('alice', 'blocks')).stdout).toBe('eve is blocked\n');
  expect(await as('eve', 'send', '-t', 'alice', '-m', 'still there?')).toMatchObject({ code: 0 });
  expect((await as('alice', 'unblock', 'eve')).stdout).toBe('eve is not blocked\n');
  await as('eve', 'send', '-t', 'alice', '-m', 'and now?');
  await listen.says('eve: and now?');
  listen.interrupt();
  expect((await listen.ended).stdout).not.toContain('still there?');
});

it('what cannot reach the server is kept, and says so', async () => {
  await server.stop();
  const { code, stdout, stderr } = await as('bob', 'contacts', 'add', 'alice');
  expect([code, stdout]).toEqual([3, 'alice\n']);
  expect(stderr).toContain('kept on this device');
  const list = await as('bob', 'contacts');
  expect([list.code, list.stdout]).toEqual([0, 'alice\n']);
  expect(list.stderr).toContain('as this device knows it');
  expect((await as('bob', 'block', 'alice')).code).not.toBe(0);
});
