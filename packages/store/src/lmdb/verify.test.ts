import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ALICE } from '../contract/fixture.ts';
import { repairLmdbStore, verifyLmdbStore } from '../repair.ts';
import { flip } from '../testing/damage.ts';
import { bodyAt, DATA, eachWithFolder, MESSAGES } from '../testing/damaged-folder.ts';
import { JOURNAL } from '../testing/power-cut.ts';
import { openEnvironment } from './environment.ts';
import { prefixedKey } from './records/keys.ts';

const at = eachWithFolder();

describe('a folder that is verified', () => {
  it('T88: names each damaged record in one line, and nothing when all is well; repair leaves only what is lost', async () => {
    const [phone, laptop] = await at.settled();
    const whole = await verifyLmdbStore(at.path);
    expect(whole).toMatchObject({ faults: [], counts: { accounts: 1, devices: 2, manifests: 1, messages: 31 } });
    const { databases, root, close } = openEnvironment(at.path);
    root.transactionSync(() => {
      for (const [db, key, at] of [
        [databases.mailboxes, prefixedKey(laptop), 8],
        [databases.accounts, Buffer.from(ALICE), 10],
      ] as const) {
        const record = db.getBinary(key) as Buffer;
        record[at] = (record[at] as number) ^ 1;
        db.putSync(key, record);
      }
    });
    await close();
    flip(join(at.path, DATA), bodyAt(at.path, 9) + 50);
    const faults = [
      `accounts: the record of ${ALICE} is damaged`,
      `mailboxes: message 9 of ${phone} is damaged`,
      `mailboxes: the head of ${laptop} is damaged`,
    ];
    expect((await verifyLmdbStore(at.path)).faults).toEqual(faults);
    const { before, after } = await repairLmdbStore(at.path);
    expect([before.faults, after.faults]).toEqual([faults, faults.slice(0, 2)]);
  });

  it('is told of a damaged log, which repair takes over as far as it can be read', async () => {
    await at.filled();
    const folder = at.copied();
    flip(join(folder, JOURNAL), 4 * 4_096 + 100);
    const before = readFileSync(join(folder, JOURNAL));
    const fault = 'journal.dat: records are damaged or missing, and accepted messages with them';
    expect(await verifyLmdbStore(folder)).toMatchObject({
      faults: [fault],
      counts: { 'commits in the log': MESSAGES },
    });
    expect(readFileSync(join(folder, JOURNAL)).equals(before)).toBe(true);
    expect(await repairLmdbStore(folder)).toMatchObject({ before: { faults: [fault] }, after: { faults: [] } });
    rmSync(join(folder, JOURNAL));
    expect((await verifyLmdbStore(folder)).faults).toEqual([]);
  });

  it('is told of a damaged page without LMDB, which would trust it', async () => {
    await at.settled();
    const size = statSync(join(at.path, DATA)).size;
    let found = 0;
    for (let page = 2; page < size / 4_096; page++) {
      flip(join(at.path, DATA), page * 4_096, 0x40);
      const { faults } = await verifyLmdbStore(at.path);
      if (faults.length > 0) {
        found++;
        expect(faults).toEqual([`data.mdb: page ${page} is another one`]);
      }
      flip(join(at.path, DATA), page * 4_096, 0x40);
    }
    expect(found).toBeGreaterThan(5);
  });

  it('is refused while a process has it, and when there is none, which does not make one', async () => {
    await at.open();
    await expect(verifyLmdbStore(at.path)).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(verifyLmdbStore(join(at.path, 'none'))).rejects.toMatchObject({ kind: 'not-found' });
    expect(existsSync(join(at.path, 'none'))).toBe(false);
  });
});
