/** The folder that a copy leaves behind: no server starts on it again. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ALICE, people } from './contract/fixture.ts';
import { backupLmdbStore } from './lmdb/backup.ts';
import { openStore } from './open.ts';
import { verifyLmdbStore } from './repair.ts';
import { emptyDatabase, testDatabase } from './testing/mongo-database.ts';
import { describeMoves } from './testing/moving.ts';

const elsewhere = testDatabase('copy-elsewhere');

describeMoves('a folder that has moved', 'copy-moved', ({ source, moved, copy, copyHalf, folder }) => {
  async function withAccount(): Promise<void> {
    const store = await source();
    await people(store, ALICE, 1);
    await store.close();
  }

  it('K14: is refused, with the place it moved to and the way back, and stays so in a backup of it', async () => {
    await withAccount();
    await copy();
    const refusal = /has moved to 127\.0\.0\.1:\d+\/\S+-copy-moved: .*start the servers there.*remove \S+\/moved\.txt/;
    await expect(openStore(`lmdb:${folder()}`)).rejects.toThrow(refusal);
    const text = await readFile(join(folder(), 'moved.txt'), 'utf8');
    expect(text).toContain('docs/operations/moving.md');
    expect((await verifyLmdbStore(folder())).faults).toEqual([]);
    const backup = await mkdtemp(join(tmpdir(), 'sealwire-moved-'));
    await backupLmdbStore(folder(), backup);
    await expect(openStore(`lmdb:${backup}`)).rejects.toThrow('has moved to');
    await rm(backup, { recursive: true });
  });

  it('is one again when its operator removes the file, and never was one before the copy had ended', async () => {
    await withAccount();
    await copyHalf();
    await (await source()).close();
    await copy();
    await rm(join(folder(), 'moved.txt'));
    expect(await (await source()).accounts.find(ALICE)).toBeDefined();
  });

  it('opens the database only once it is marked: a mark that cannot be written ends the copy, to be gone on with', async () => {
    await withAccount();
    // A folder of that name stands in the way of the file, as a full disk would.
    await mkdir(join(folder(), 'moved.txt'));
    await expect(copy()).rejects.toThrow(/moved\.txt cannot be written/);
    await expect(moved()).rejects.toThrow('has not ended');
    await rm(join(folder(), 'moved.txt'), { recursive: true });
    await copy();
    expect(await (await moved()).accounts.find(ALICE)).toBeDefined();
  });

  it('K14: is copied into no second database, whose servers would hand out the same numbers', async () => {
    await withAccount();
    await copy();
    await emptyDatabase(elsewhere!);
    await expect(copy({ to: elsewhere! })).rejects.toThrow(/has moved to \S+-copy-moved: /);
    await expect(copy()).rejects.toThrow('a copy into this database has ended');
  });

  it('K14: of another domain than the servers will have is not copied', async () => {
    await withAccount();
    await expect(copy({ domain: 'y.org' })).rejects.toThrow(
      'the folder holds accounts of x.org, and DOMAIN is y.org: set DOMAIN=x.org',
    );
    expect(await copy({ domain: 'x.org' })).toMatchObject({ accounts: 1, domains: ['x.org'] });
  });
});
