import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { open } from 'lmdb';
import { ALICE, account, BOB, deviceId, mail, people, ROOMY, seqsIn } from './contract/fixture.ts';
import { openEnvironment } from './lmdb/environment.ts';
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
    expect((await readdir(path)).sort()).toEqual(['data.mdb', 'lock.mdb']);
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

  it('brings a folder of the older schema up to date, and keeps what is in it', async () => {
    const before = await openStore(`lmdb:${folder}`);
    const [device] = (await people(before, ALICE, 2)) as [DeviceId, DeviceId];
    for (const n of [1, 2]) await before.mailboxes.append([mail(n, deviceId(BOB, 1), [device])], ROOMY);
    // Puts its head, and with it the messages.
    await before.mailboxes.claimSession(device, 5);
    await before.close();
    const older = openEnvironment(folder);
    await older.root.transaction(() => {
      const { mailboxes, journal } = older.databases;
      for (const key of [...mailboxes.getKeys()]) {
        const head = mailboxes.getBinary(key) as Buffer;
        mailboxes.putSync(key, Buffer.concat([head.subarray(0, 80), head.subarray(88)]));
      }
      for (const key of [...journal.getKeys()]) journal.removeSync(key);
      older.root.putSync(Buffer.from('schema'), Buffer.from('sealwire-store 1'));
    });
    await older.close();
    for (let opening = 0; opening < 2; opening++) {
      const store = await openStore(`lmdb:${folder}`);
      expect(await seqsIn(store, device)).toEqual([1, 2]);
      expect(await store.mailboxes.claimSession(device, 4)).toBe('superseded');
      await store.close();
    }
  });

  it('C12: refuses a folder of another schema version by name', async () => {
    await mkdir(join(folder, 'newer'));
    const newer = open({ path: join(folder, 'newer'), noSubdir: false, encoding: 'binary', keyEncoding: 'binary' });
    await newer.put(Buffer.from('schema'), Buffer.from('sealwire-store 99'));
    await newer.close();
    await expectRefusal(`lmdb:${folder}/newer`, 'corrupt', 'sealwire-store 99');
  });
});
