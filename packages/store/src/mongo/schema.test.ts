/** Versions of the documents, and indexes, on a real server: `MONGODB_URI` names it. Without one they are skipped, aloud. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openMongoStore } from '../mongo.ts';
import { testDatabase } from '../testing/mongo-database.ts';
import { Engine } from './engine.ts';
import { checkSchema, type Migration, migrateUp, schemaOf, schemaStatus } from './schema.ts';

const url = testDatabase('schema');

(url === undefined ? describe.skip : describe)('the schema of a database (skipped without MONGODB_URI)', () => {
  jest.setTimeout(60_000);
  let engine: Engine;
  let done: number[];

  const steps = (...versions: readonly number[]): Migration[] =>
    versions.map((to) => ({
      to,
      what: `step ${to}`,
      async run() {
        done.push(to);
      },
    }));

  beforeEach(async () => {
    done = [];
    engine = await Engine.connect({ url: url!, production: false });
    await engine.connection.db!.dropDatabase();
  });

  afterEach(() => engine.close());

  const version = async () => (await schemaStatus(engine)).version;
  const open = async () => (await openMongoStore({ url: url!, production: false })).store.close();

  it('a new database gets its version and all indexes, also from several nodes at once', async () => {
    expect(await version()).toBeUndefined();
    await Promise.all([open(), open(), open()]);
    expect(await schemaStatus(engine)).toEqual({
      version: 1,
      newest: 1,
      pending: [],
      missing: [],
      isCopying: false,
    });
  });

  it('C12: one of a newer version is refused, by server and migration', async () => {
    await schemaOf(engine).insertOne({ _id: 'schema', version: 2 });
    await expect(open()).rejects.toThrow('schema version 2, newer than the 1');
    await expect(migrateUp(engine)).rejects.toThrow('newer');
    expect(await version()).toBe(2);
  });

  it('C12: a program works on the version before its own, and refuses older ones with the command', async () => {
    await checkSchema(engine, steps(2));
    expect(await version()).toBe(2);
    await checkSchema(engine, steps(2, 3));
    expect(await version()).toBe(2);
    await expect(checkSchema(engine, steps(2, 3, 4))).rejects.toThrow('needs 3 or 4: run sealwire-server migrate up');
    expect(done).toEqual([]);
  });

  it('C12: migrate up does what is missing, in order, and a step that failed again', async () => {
    await checkSchema(engine);
    const broken: Migration = { to: 3, what: 'breaks', run: () => Promise.reject(new Error('broken')) };
    await expect(migrateUp(engine, [...steps(2), broken])).rejects.toThrow('broken');
    expect(await version()).toBe(2);
    expect((await schemaStatus(engine, steps(2, 3))).pending).toEqual(['3: step 3']);
    expect(await migrateUp(engine, steps(2, 3))).toMatchObject({ version: 3, pending: [] });
    expect(await migrateUp(engine, steps(2, 3))).toMatchObject({ version: 3 });
    expect(done).toEqual([2, 3]);
  });

  it('an index that somebody dropped is made at the next start', async () => {
    await open();
    await engine.connection.db!.collection('mails').dropIndex('at_1');
    expect((await schemaStatus(engine)).missing).toEqual(['mails.at']);
    await open();
    expect((await schemaStatus(engine)).missing).toEqual([]);
  });

  it('an index that is missing of many documents is the operator’s to make: the start refuses with the command', async () => {
    await open();
    await engine.connection.db!.collection('mails').dropIndex('at_1');
    await engine.connection.db!.collection('mails').insertMany([{ at: 1 }, { at: 2 }]);
    await expect(checkSchema(engine, [], 1)).rejects.toThrow(
      'lacks the index mails.at, which takes a while to make: run sealwire-server migrate up',
    );
    expect(await migrateUp(engine)).toMatchObject({ missing: [] });
    await checkSchema(engine, [], 1);
  });

  it('an index of the same keys with another meaning is told, not passed over', async () => {
    await engine.connection.db!.collection('once').createIndex({ forget: 1 });
    await expect(open()).rejects.toThrow('the index once.forget cannot be made');
  });

  it('a database of another program is refused, and left as it was', async () => {
    await engine.connection.db!.collection('theirs').insertOne({ n: 1 });
    await expect(open()).rejects.toThrow('collections of another program');
    expect((await engine.connection.db!.listCollections().toArray()).map(({ name }) => name)).toEqual(['theirs']);
  });
});
