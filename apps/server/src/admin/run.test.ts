/** `sealwire-admin` in one process: over the socket of a server that runs, on a store where none does, and what it says of mistakes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { offlineAdminCommands } from '@sealwire/api/admin';
import { listenOnAdminSocket } from '@sealwire/service/admin-socket';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { openLmdbStore } from '@sealwire/store/lmdb';
import { openMemoryStore } from '@sealwire/store/memory';
import { COMMANDS, usage } from './commands.ts';
import { administer } from './run.ts';

const NOW = Date.UTC(2026, 10, 29);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-admin-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const sources = { argv, env: { DATA_DIR: folder, DOMAIN: 'example.org' }, readFile: () => '' };
  const code = await administer(sources, () => NOW, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

describe('sealwire-admin', () => {
  it('asks the server that runs, shows lines or JSON, and is in its trail', async () => {
    const store = openMemoryStore();
    const commands = offlineAdminCommands(store, { now: () => NOW, domain: 'example.org' });
    const notes = { log: silentLog, metrics: createMetrics() };
    const socket = await listenOnAdminSocket(join(folder, 'admin.sock'), commands, notes);
    try {
      const made = await run('invitations', 'make', '--uses', '3');
      expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^[\w-]{27}\n$/), err: '' });
      expect((await run('invitations', 'list')).out).toMatch(
        /^[0-9a-f]{16} {2}good {2}3 of 3 left {2}until 2026-12-06/,
      );
      const { invitations } = JSON.parse((await run('invitations', 'list', '--json')).out);
      expect(invitations).toMatchObject([{ uses: 3, left: 3 }]);
      expect((await run('audit', '--limit', '9')).out).toContain('machine  invitations make  done');
      expect(await run('accounts', 'disable', 'nobody')).toEqual({
        code: 1,
        out: '',
        err: 'sealwire-admin: there is no account of that name on example.org\n',
      });
    } finally {
      await socket.close();
    }
  });

  it('opens the store where no server runs, and makes none where there is none', async () => {
    expect(await run('accounts', 'list')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no server runs here'),
    });
    const store = await openLmdbStore({ path: join(folder, 'store') });
    await store.close();
    expect(await run('domains', 'block', 'evil.example')).toMatchObject({ code: 0, out: 'evil.example is blocked\n' });
    expect((await run('domains', 'list')).out).toBe('evil.example  since 2026-11-29T00:00:00Z\n');
    expect(await run('domains', 'block', 'a b')).toMatchObject({
      code: 2,
      err: expect.stringContaining('example.com'),
    });
  });

  it.each([
    [['acounts'], /there is no such command — use one of accounts/],
    [['accounts', 'lst'], /use one of accounts list, /],
    [['accounts', 'show'], /1 words are wanted, 0 are there — write NAME/],
    [['accounts', 'list', '--limit', 'x'], /--limit: "x": not a whole number/],
    [['accounts', 'list', '--colour'], /Unknown option/],
    [['accounts', 'delete', 'alice'], /--yes: is not given/],
    [['accounts', 'list', '--admin-url', 'http://127.0.0.1:9'], /ADMIN_TOKEN: is not set/],
  ])('says of a mistake, %j, what to do, in one line', async (argv, line) => {
    const { code, out, err } = await run(...argv);
    expect([code, out, err.split('\n').length]).toEqual([2, '', 2]);
    expect(err).toMatch(line);
  });

  it('lists every command in its help', async () => {
    for (const name of Object.keys(COMMANDS)) expect(usage()).toContain(`\n  ${name}`);
    expect(await run('--help')).toMatchObject({ code: 0, out: usage() });
  });
});
