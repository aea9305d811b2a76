import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StoreError } from '../port.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { lmdbWriter, Writer } from './writer.ts';

let folder: string;
let environment: Environment;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwire-writer-'));
  environment = openEnvironment(folder);
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

describe('the writer of LMDB', () => {
  let writer: Writer;

  beforeEach(() => {
    writer = lmdbWriter(environment);
  });

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

  it('undoes what a job did that met something damaged, rejects it alone, and carries out the others', async () => {
    const corrupt = new StoreError('corrupt', 'not a record');
    const results = await Promise.allSettled([
      writer.run(() => put('a')),
      writer.run(() => {
        put('b');
        throw corrupt;
      }),
      writer.run(() => put('c')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: corrupt });
    expect(['a', 'b', 'c'].map(has)).toEqual([true, false, true]);
  });

  it('undoes the whole transaction for an unforeseen error, and goes on', async () => {
    const results = await Promise.allSettled([
      writer.run(() => put('a')),
      writer.run(() => {
        put('b');
        throw new RangeError('out of range');
      }),
      writer.run(() => put('c')),
    ]);
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StoreError', kind: 'unavailable' } });
    expect(['a', 'b', 'c'].map(has)).toEqual([false, false, false]);
    await writer.run(() => put('d'));
    expect(has('d')).toBe(true);
  });

  it('takes nothing once it is closed', async () => {
    const last = writer.run(() => put('a'));
    await writer.close();
    await last;
    await expect(writer.run(() => put('b'))).rejects.toMatchObject({ kind: 'unavailable' });
    expect([has('a'), has('b')]).toEqual([true, false]);
  });
});

describe('a writer', () => {
  it('answers when the commit is durable, not before; what comes meanwhile is the next commit', async () => {
    const commits: string[][] = [];
    let land = () => {};
    let ran: string[] = [];
    const writer = new Writer(async (perform) => {
      ran = [];
      perform();
      commits.push(ran);
      await new Promise<void>((resolve) => {
        land = resolve;
      });
    });
    const run = (name: string) => writer.run(() => ran.push(name));
    let isDone = false;
    const both = Promise.all([run('a'), run('b')]).then(() => {
      isDone = true;
    });
    await turn();
    const next = run('c');
    await turn();
    expect([isDone, commits]).toEqual([false, [['a', 'b']]]);
    land();
    await both;
    await turn();
    expect(commits).toEqual([['a', 'b'], ['c']]);
    land();
    await next;
  });

  it('runs the same jobs again when the commit is tried in another way, and answers with the second time', async () => {
    let runs = 0;
    const writer = new Writer(async (perform) => {
      perform();
      perform();
    });
    expect(await Promise.all([writer.run(() => ++runs), writer.run(() => ++runs)])).toEqual([3, 4]);
  });

  it('rejects all that wait for a commit that fails before it runs them', async () => {
    const writer = new Writer(() => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })));
    const results = await Promise.allSettled([writer.run(() => 1), writer.run(() => 2)]);
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable' } });
  });
});

/** What is under way comes as far as it can without the disk. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
