/** What the operator reads of `migrate`. */
import { describe, expect, it, jest } from '@jest/globals';
import { linesOf, migrate } from './migrating.ts';
import { openMongoStore } from './mongo.ts';
import { emptyDatabase, testDatabase } from './testing/mongo-database.ts';

const url = testDatabase('migrate');

describe('migrate', () => {
  it('K14: says that an embedded store needs none', async () => {
    await expect(migrate('up', { url: 'lmdb:./data' })).rejects.toThrow('brings itself up to date');
  });

  it('says what is there and what is to do, a line each', () => {
    const status = { version: 1, newest: 3, pending: ['2: a', '3: b'], missing: ['mails.at'], isCopying: true };
    expect(linesOf(status)).toEqual({
      lines: [
        'schema version 1, this program writes 3',
        'to do: 2: a',
        'to do: 3: b',
        'to do: the index mails.at',
        'a copy into this database has not ended: run copy-store again',
      ],
      isDone: false,
    });
  });
});

(url === undefined ? describe.skip : describe)('migrate on a server (skipped without MONGODB_URI)', () => {
  jest.setTimeout(60_000);

  it('C12: status changes nothing, up prepares a database, and a server opens it then', async () => {
    await emptyDatabase(url!);
    const terms = { url: url!, production: false };
    expect(linesOf(await migrate('status', terms)).lines[0]).toBe('the database is new');
    expect(linesOf(await migrate('status', terms)).lines[0]).toBe('the database is new');
    expect(linesOf(await migrate('up', terms))).toEqual({
      lines: ['schema version 1, this program writes 1'],
      isDone: true,
    });
    await (await openMongoStore(terms)).store.close();
    await emptyDatabase(url!);
  });
});
