import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readAll } from '../contract/fixture.ts';
import { openLmdbStore } from '../lmdb.ts';
import { DATA, eachWithFolder, MESSAGES } from '../testing/damaged-folder.ts';
import { JOURNAL } from '../testing/power-cut.ts';

const at = eachWithFolder();

describe('a data file', () => {
  it('T89: that is missing or empty beside its log is not taken for a new store', async () => {
    await at.settled();
    truncateSync(join(at.path, DATA));
    const refusal = (how: string) => ({
      kind: 'corrupt',
      message: `${at.path}/data.mdb is ${how}, but its log journal.dat is there: restore data.mdb from a backup, or remove journal.dat to begin anew, with nothing`,
    });
    await expect(at.open()).rejects.toMatchObject(refusal('empty'));
    rmSync(join(at.path, DATA));
    await expect(at.open()).rejects.toMatchObject(refusal('missing'));
    rmSync(join(at.path, JOURNAL));
    await at.open();
  });

  it('T89: that was cut is refused with one line, wherever, and does not end the process', async () => {
    await at.settled();
    const whole = readFileSync(join(at.path, DATA));
    // The last pages may be free ones.
    const needed = whole.length - 4 * 4_096;
    for (let size = 4_096; size < needed; size += 4_096 * 3 + 100) {
      writeFileSync(join(at.path, DATA), whole.subarray(0, size));
      await expect(at.open()).rejects.toMatchObject({
        kind: 'corrupt',
        message: expect.stringMatching(/^[^\n]*backup$/),
      });
    }
    writeFileSync(join(at.path, DATA), whole);
    await at.open();
  });

  it('may lack pages that nothing needs', async () => {
    const [phone] = await at.settled();
    const file = join(at.path, DATA);
    const pages = statSync(file).size / 4_096;
    // As if the newest transaction had got pages that it did not write.
    for (const meta of [0, 4_096]) {
      const handle = openSync(file, 'r+');
      const newest = Buffer.alloc(8);
      newest.writeBigUInt64LE(BigInt(pages + 5));
      writeSync(handle, newest, 0, 8, meta + 144);
      closeSync(handle);
    }
    expect(await readAll(await at.open(), phone)).toMatchObject({ mails: { length: MESSAGES } });
  });

  it('that is new is announced, and only then', async () => {
    const news: string[] = [];
    const reports = { isNew: () => void news.push('new'), damaged() {}, full() {}, hasSpace() {} };
    for (const _ of [1, 2]) await (await openLmdbStore({ path: at.path, reports })).close();
    expect(news).toEqual(['new']);
  });
});
