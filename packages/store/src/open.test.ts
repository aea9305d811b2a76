import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { open } from 'lmdb';
import { ALICE, account, people } from './contract/fixture.ts';
import { openStore } from './open.ts';
import type { StoreErrorKind } from './port.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwire-open-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Expects one line that holds all `words`. */
async function expectRefusal(url: string, kind: StoreErrorKind, ...words: readonly string[]): Promise<void> {
  const error = await openStore(url).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'StoreError', kind });
  for (const word of words) expect((error as Error).message).toContain(word);
  expect((error as Error).message).not.toContain('\n');
}

describe('openStore', () => {
  it('opens a store in memory', async () => {
    const store = await openStore('memory:');
    await store.probe();
    await store.close();
  });

  it('makes the folder, for this user alone, and finds everything again', async () => {
    const path = join(folder, 'deep', 'data.v1');
    const first = await openStore(`lmdb:${path}`);
    await people(first, ALICE, 1);
    await first.close();
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await readdir(path)).sort()).toEqual(['data.mdb', 'journal.dat', 'journal.mark', 'lock.mdb']);
    const second = await openStore(`lmdb:${path}`);
    expect(await second.accounts.find(ALICE)).toEqual(account(ALICE));
    await second.close();
  });

  it.each([
    ['redis://user:secret@host/', 'unknown scheme redis:'],
    ['./data', 'no scheme'],
    ['', 'no scheme'],
    ['lmdb:', 'names no folder'],
  ])(
    'K14: refuses %j with the problem and the fix, and without repeating what may hold a password',
    async (url, problem) => {
      await expectRefusal(url, 'not-found', problem, 'lmdb:');
      await expect(openStore(url)).rejects.not.toThrow('secret');
    },
  );

  it('K14: refuses a file, and a folder under a file', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'text');
    await expectRefusal(`lmdb:${file}`, 'not-found', file, 'is a file', 'choose a folder');
    await expectRefusal(`lmdb:${file}/data`, 'not-found', file, 'choose a folder');
  });

  it('K14: refuses a place where no folder can be made', async () => {
    await expectRefusal('lmdb:/sys/sealwire', 'unavailable', '/sys/sealwire', 'write permission');
  });

  it('refuses a folder whose data file is none', async () => {
    await writeFile(join(folder, 'data.mdb'), 'no database '.repeat(2_000));
    await expectRefusal(`lmdb:${folder}`, 'corrupt', folder, 'choose another folder');
  });

  it('refuses a database of another program, and leaves it as it was', async () => {
    const foreign = open({ path: folder, noSubdir: false });
    await foreign.put('theirs', 1);
    await foreign.close();
    await expectRefusal(`lmdb:${folder}`, 'corrupt', folder, 'another program');
    const again = open({ path: folder, noSubdir: false });
    expect(again.getKeysCount()).toBe(1);
    expect(again.get('theirs')).toBe(1);
    await again.close();
  });

  it('C12: refuses a folder of another schema version by name', async () => {
    await mkdir(join(folder, 'newer'));
    const newer = open({ path: join(folder, 'newer'), noSubdir: false, encoding: 'binary', keyEncoding: 'binary' });
    await newer.put(Buffer.from('schema'), Buffer.from('sealwire-store 99'));
    await newer.close();
    await expectRefusal(`lmdb:${folder}/newer`, 'corrupt', 'sealwire-store 99');
  });
});
