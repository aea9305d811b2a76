/**
 * What the answers of a real mongod come to: done, a duplicate, or an outcome that is not known and therefore asked for again. Shapes as
 * its manual ("Error Codes", "Write Concern") and the drivers' specifications have them; no server here gives them.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Answer, type ScriptedMongod, scriptedMongod } from '../testing/scripted-mongod.ts';
import { duplicatesIn, Engine, isDuplicate, storeErrorOf } from './engine.ts';

jest.setTimeout(20_000);

const DUPLICATE = {
  code: 11_000,
  errmsg: 'E11000 duplicate key error collection: d.c index: _id_ dup key: { _id: 1 }',
  keyPattern: { _id: 1 },
  keyValue: { _id: 1 },
};
const writeErrors = (...indexes: readonly number[]) => ({
  n: 0,
  writeErrors: indexes.map((index) => ({ index, ...DUPLICATE })),
  ok: 1,
});
const CONCERN = { w: 'majority', j: true, wtimeout: 0, provenance: 'clientSupplied' };
const writeConcern = (code: number, codeName: string, errmsg: string, errInfo: object = {}) => ({
  n: 1,
  nModified: 1,
  ok: 1,
  writeConcernError: { code, codeName, errmsg, errInfo: { ...errInfo, writeConcern: CONCERN } },
});
const failed = (code: number, codeName: string, ...errorLabels: readonly string[]) => ({
  ok: 0,
  code,
  codeName,
  errmsg: codeName,
  ...(errorLabels.length > 0 && { errorLabels }),
});

const UNKNOWN: readonly (readonly [string, Answer])[] = [
  ['NotWritablePrimary', failed(10_107, 'NotWritablePrimary', 'RetryableWriteError')],
  ['NotWritablePrimary of long ago', failed(10_058, 'LegacyNotPrimary')],
  ['InterruptedDueToReplStateChange', failed(11_602, 'InterruptedDueToReplStateChange', 'RetryableWriteError')],
  ['PrimarySteppedDown', failed(189, 'PrimarySteppedDown')],
  ['ShutdownInProgress', failed(91, 'ShutdownInProgress')],
  ['a code of tomorrow with the label RetryableWriteError', failed(99_999, 'Tomorrow', 'RetryableWriteError')],
  [
    'WriteConcernFailed 64 with wtimeout',
    writeConcern(64, 'WriteConcernFailed', 'waiting for replication timed out', { wtimeout: true }),
  ],
  ['WriteConcernFailed 64 without it', writeConcern(64, 'WriteConcernFailed', 'Write concern failed')],
  ['a write concern that an election ended', writeConcern(11_602, 'InterruptedDueToReplStateChange', 'interrupted')],
  ['too few nodes for a majority', writeConcern(100, 'UnsatisfiableWriteConcern', 'Not enough data-bearing nodes')],
  ['a connection that breaks', 'cut'],
];

describe('the engine', () => {
  let mongod: ScriptedMongod;
  let engine: Engine;
  const documents = () => engine.connection.db!.collection<{ _id: number; n?: number }>('c');

  beforeEach(async () => {
    mongod = await scriptedMongod();
    engine = await Engine.connect({ url: mongod.url, production: true });
  });

  afterEach(async () => {
    await engine.close();
    await mongod.close();
  });

  const asked = (name: string) => mongod.commands.filter((command) => command === name).length;
  const failing = (write: Promise<unknown>) =>
    write.then(
      () => undefined,
      (error: unknown) => error,
    );

  describe.each(UNKNOWN)('takes for not known, and asks again: %s', (_, answer) => {
    it('of one document', async () => {
      mongod.answer('update', answer);
      await engine.write(() => documents().updateOne({ _id: 1 }, { $set: { n: 1 } }));
      expect(asked('update')).toBe(2);
    });

    it('of a batch', async () => {
      mongod.answer('insert', answer, { n: 2, ok: 1 });
      await engine.write(() => documents().insertMany([{ _id: 1 }, { _id: 2 }], { ordered: false }));
      expect(asked('insert')).toBe(2);
    });

    it('of a batch whose repeat finds what was done: duplicates, and no fault', async () => {
      mongod.answer('insert', answer, writeErrors(0, 1));
      const error = await failing(
        engine.write(() => documents().insertMany([{ _id: 1 }, { _id: 2 }], { ordered: false })),
      );
      expect(duplicatesIn(error)).toEqual([0, 1]);
    });
  });

  it('takes a duplicate for one, wherever it is said, and asks once', async () => {
    mongod.answer('insert', writeErrors(0));
    mongod.answer('update', writeErrors(0));
    mongod.answer('findAndModify', { ok: 0, codeName: 'DuplicateKey', ...DUPLICATE });
    const errors = [
      await failing(engine.write(() => documents().insertOne({ _id: 1 }))),
      await failing(engine.write(() => documents().updateOne({ _id: 1 }, { $set: { n: 1 } }, { upsert: true }))),
      await failing(engine.write(() => documents().findOneAndUpdate({ _id: 1 }, { $set: { n: 1 } }, { upsert: true }))),
    ];
    expect(errors.map(isDuplicate)).toEqual([true, true, true]);
    expect(['insert', 'update', 'findAndModify'].map(asked)).toEqual([1, 1, 1]);
  });

  it('asks again for a batch that had duplicates, and whose others no majority may have', async () => {
    const { writeConcernError } = writeConcern(64, 'WriteConcernFailed', 'waiting', { wtimeout: true });
    mongod.answer('insert', { ...writeErrors(0), writeConcernError }, writeErrors(0));
    const error = await failing(
      engine.write(() => documents().insertMany([{ _id: 1 }, { _id: 2 }], { ordered: false })),
    );
    expect(duplicatesIn(error)).toEqual([0]);
    expect(asked('insert')).toBe(2);
  });

  it('asks again for a batch of which a part was a duplicate and a part not answered for', async () => {
    const stepped = { index: 1, code: 189, errmsg: 'Primary stepped down' };
    mongod.answer('insert', { ...writeErrors(0), writeErrors: [{ index: 0, ...DUPLICATE }, stepped] }, writeErrors(0));
    const error = await failing(
      engine.write(() => documents().insertMany([{ _id: 1 }, { _id: 2 }], { ordered: false })),
    );
    expect(duplicatesIn(error)).toEqual([0]);
  });

  it.each([
    ['a batch', (): Promise<unknown> => documents().insertMany([{ _id: 1 }], { ordered: false })],
    ['one document', (): Promise<unknown> => documents().insertOne({ _id: 1 })],
  ])('never takes for done, or for a duplicate, what a server refuses: %s', async (_, write) => {
    mongod.answer('insert', failed(121, 'DocumentValidationFailure'));
    const error = await failing(engine.write(write));
    expect([isDuplicate(error), duplicatesIn(error)]).toEqual([false, undefined]);
    expect(storeErrorOf(error)).toMatchObject({ kind: 'unavailable' });
    expect(asked('insert')).toBe(1);
  });

  it('reads again what a cursor lost with its server', async () => {
    const batch = (id: bigint, name: string) => ({ cursor: { id, ns: 'd.c', [name]: [{ _id: Number(id) }] }, ok: 1 });
    mongod.answer('find', batch(5n, 'firstBatch'), batch(0n, 'firstBatch'));
    mongod.answer('getMore', failed(43, 'CursorNotFound'));
    expect(await engine.read(() => documents().find().toArray())).toEqual([{ _id: 0 }]);
    expect(asked('find')).toBe(2);
  });

  it('says what the operator can mend: no space, and what the user may not', async () => {
    for (const [answer, words] of [
      [failed(14_031, 'OutOfDiskSpace'), 'no space left on the disk of the database'],
      [failed(13, 'Unauthorized'), 'give it the role readWrite'],
    ] as const) {
      mongod.answer('insert', answer);
      const error = storeErrorOf(await failing(engine.write(() => documents().insertOne({ _id: 1 }))));
      expect(error).toMatchObject({ kind: 'unavailable' });
      expect(error.message).toContain(words);
    }
  });
});
