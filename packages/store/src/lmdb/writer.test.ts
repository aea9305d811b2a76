import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StoreError } from '../port.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { Writer } from './writer.ts';

let folder: string;
let environment: Environment;
let writer: Writer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwire-writer-'));
  environment = openEnvironment(folder);
  writer = new Writer(environment);
});

afterEach(async () => {
  await environment.close();
  await rm(folder, { recursive: true });
});

const key = (name: string) => Buffer.from(name);
const put = (name: string) => environment.databases.probe.putSync(key(name), key(name));
const has = (name: string) => {
  environment.renew();
  return environment.databases.probe.getBinary(key(name)) !== undefined;
};

describe('Writer', () => {
  it('carries out what waits in one transaction, in order', async () => {
    const numbers: number[] = [];
    const jobs = [1, 2, 3].map((n) => writer.run(() => numbers.push(n) && environment.root.getWriteTxnId()));
    expect(new Set(await Promise.all(jobs)).size).toBe(1);
    expect(numbers).toEqual([1, 2, 3]);
  });

  it('rejects a job that refuses alone, and keeps the others', async () => {
    const refusal = new StoreError('conflict', 'no');
    const results = await Promise.allSettled([
      writer.run(() => put('a')),
      writer.run(() => {
        throw refusal;
      }),
      writer.run(() => put('b')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: refusal });
    expect([has('a'), has('b')]).toEqual([true, true]);
  });

  it.each([
    ['an unforeseen error', new RangeError('out of range'), 'unavailable'],
    ['a corrupt record', new StoreError('corrupt', 'not a record'), 'corrupt'],
  ])('undoes the whole transaction for %s, and goes on', async (_, thrown, kind) => {
    const results = await Promise.allSettled([
      writer.run(() => put('a')),
      writer.run(() => {
        put('b');
        throw thrown;
      }),
      writer.run(() => put('c')),
    ]);
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StoreError', kind } });
    expect(['a', 'b', 'c'].map(has)).toEqual([false, false, false]);
    await writer.run(() => put('d'));
    expect(has('d')).toBe(true);
  });

  it('tells participants whether anybody else has committed since their last transaction', async () => {
    const alone: boolean[] = [];
    let writes = true;
    writer.join({
      begin: (isAlone) => alone.push(isAlone),
      write: () => {
        if (writes) put('participant');
        return writes;
      },
      done: () => {},
    });
    const rounds: (() => unknown)[] = [
      () => {},
      () => {},
      () => environment.root.transactionSync(() => put('other')),
      () => {},
      () => {
        writes = false;
      },
      // The transaction before gave its number back, and the other one took it.
      () => environment.root.transactionSync(() => put('another')),
    ];
    for (const before of rounds) {
      before();
      await writer.run(() => {});
    }
    expect(alone).toEqual([false, true, false, true, true, false]);
  });

  it('takes nothing once it is closed', async () => {
    const last = writer.run(() => put('a'));
    await writer.close();
    await last;
    await expect(writer.run(() => put('b'))).rejects.toMatchObject({ kind: 'unavailable' });
    expect([has('a'), has('b')]).toEqual([true, false]);
  });
});
