/** Stores that will not do, and a folder that moves, as whoever types the commands sees them. */
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { serverProcesses } from '@sealwire/service/testing/server-process';
import { openStore } from '@sealwire/store/open';
import { emptyDatabase, testDatabase } from '@sealwire/store/testing/mongo-database';
import { parseAccountAddress } from '@sealwire/wire/ids';

jest.setTimeout(60_000);

const KEY = Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url');
const env = {
  DOMAIN: 'example.org',
  PUBLIC_ORIGIN: 'https://chat.example.org',
  TOKEN_KEY: KEY,
  APP_PASSWORD_KEY: KEY,
  LISTEN: '127.0.0.1:0',
};
const processes = serverProcesses(import.meta.url);
const database = testDatabase('stores');

describe('a store URL that will not do', () => {
  it.each([
    ['an option that is none', 'mongodb://u:secret@127.0.0.1:1/d?fooBar=1', /fooBar|foobar/],
    ['a password that is not encoded', 'mongodb://u:secret@x@127.0.0.1:1/d', /@ as %40/],
    ['no database', 'mongodb://u:secret@127.0.0.1:1/', /names no database/],
    ['a weaker write concern', 'mongodb://u:secret@127.0.0.1:1/d?w=1', /sets w; leave it out/],
    ['nobody there', 'mongodb://u:secret@127.0.0.1:1/d', /no database answers at 127\.0\.0\.1:1/],
  ])('K14: %s: one line with the fix, exit code 2, no password', async (_, url, words) => {
    const { code, stderr } = await processes.start(['all'], { ...env, STORE_URL: url }).ended;
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^all: STORE_URL: .*\n$/)]);
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain('secret');
  });
});

(database === undefined ? describe.skip : describe)('copy-store (skipped without MONGODB_URI)', () => {
  it('K14: refuses another domain, copies, and leaves a folder on which no server starts', async () => {
    await emptyDatabase(database!);
    const folder = `lmdb:${join(processes.folder, 'store')}`;
    const store = await openStore(folder);
    const address = parseAccountAddress('sip:alice@example.org');
    await store.accounts.create(
      { address, accountKey: new Uint8Array(32).fill(1), createdAt: 1 },
      { version: 1, bytes: new Uint8Array(9), signature: new Uint8Array(64) },
      [],
    );
    await store.close();
    const copy = (DOMAIN: string) =>
      processes.start(['copy-store', folder], { DOMAIN, STORE_URL: database!, PATH: process.env.PATH! }).ended;
    const other = await copy('example.net');
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/^copy-store: .*set DOMAIN=example\.org\n$/)]);
    const done = await copy('example.org');
    expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/1 accounts of example\.org, .*digest/)]);
    const { code, stderr } = await processes.start(['all'], { ...env, STORE_URL: folder }).ended;
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^all: .* has moved to .*moved\.txt to go back\n$/)]);
  });
});
