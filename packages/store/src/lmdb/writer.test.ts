import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StoreError } from '../port.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { type Participant, Writer } from './writer.ts';

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
      fly: () => false,
      sync: () => Promise.resolve(),
      done: () => {},
      isOverdue: false,
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

/** A participant that gathers names, and keeps a diary of what it is asked. */
class Diary implements Participant {
  readonly lines: string[] = [];
  #gathered: string[] = [];
  flies = true;
  isOverdue = false;
  sync = async (): Promise<void> => {};

  gather(name: string): void {
    this.#gathered.push(name);
  }

  begin(isAlone: boolean): void {
    this.lines.push(isAlone ? 'begin alone' : 'begin');
  }

  fly(): boolean {
    if (this.flies) this.lines.push(`fly ${this.#gathered.join()}`);
    return this.flies;
  }

  write(): boolean {
    this.lines.push(`write ${this.#gathered.join()}`);
    this.isOverdue = false;
    for (const name of this.#gathered) put(name);
    return this.#gathered.length > 0;
  }

  done(committed: boolean): void {
    this.lines.push(committed ? 'done' : 'undone');
    this.#gathered = [];
  }
}

describe('Writer, with a participant that has a journal', () => {
  let diary: Diary;
  let ran: string[];

  beforeEach(() => {
    diary = new Diary();
    ran = [];
    writer.join(diary);
  });

  const gather = (name: string) =>
    writer.runInJournal(() => {
      ran.push(name);
      diary.gather(name);
      return name;
    });
  const store = (name: string) =>
    writer.run(() => {
      ran.push(name);
      put(name);
      return name;
    });
  const transaction = () => environment.root.transactionSync(() => environment.root.getWriteTxnId());

  it('makes what waits one flight, for which LMDB commits nothing', async () => {
    // A transaction of a test, too, takes its number only if it writes.
    await store('before');
    const number = transaction();
    diary.lines.length = 0;
    expect(await Promise.all(['a', 'b', 'c'].map(gather))).toEqual(['a', 'b', 'c']);
    await gather('d');
    expect(diary.lines).toEqual(['begin', 'fly a,b,c', 'done', 'begin alone', 'fly d', 'done']);
    expect(transaction()).toBe(number);
  });

  it('undoes what jobs wrote to LMDB when the journal says it', async () => {
    await Promise.all([gather('a'), writer.runInJournal(() => put('b'))]);
    expect(has('b')).toBe(false);
  });

  it('resolves what flies when that is durable, not before', async () => {
    let land = () => {};
    diary.sync = () =>
      new Promise((resolve) => {
        land = resolve;
      });
    const flown = gather('a');
    const later = gather('b');
    let isDone = false;
    void flown.then(() => {
      isDone = true;
    });
    await turn();
    expect(diary.lines).toEqual(['begin', 'fly a,b']);
    const next = gather('c');
    await turn();
    expect([isDone, ran]).toEqual([false, ['a', 'b']]);
    land();
    await Promise.all([flown, later]);
    await turn();
    expect(diary.lines.slice(2)).toEqual(['done', 'begin alone', 'fly c']);
    land();
    await next;
  });

  it('runs the jobs again in LMDB when the journal cannot say it', async () => {
    diary.flies = false;
    expect(await Promise.all([gather('a'), gather('b')])).toEqual(['a', 'b']);
    expect(ran).toEqual(['a', 'b', 'a', 'b']);
    expect(diary.lines).toEqual(['begin', 'undone', expect.stringMatching(/^begin/), 'write a,b', 'done']);
    expect([has('a'), has('b')]).toEqual([true, true]);
  });

  it('undoes what the first run wrote', async () => {
    diary.flies = false;
    let runs = 0;
    await writer.runInJournal(() => {
      put(`run ${++runs}`);
      diary.gather('a');
    });
    expect(['run 1', 'run 2'].map(has)).toEqual([false, true]);
  });

  it('keeps the order of jobs of both kinds', async () => {
    const all = [gather('a'), store('b'), gather('c'), gather('d'), store('e'), store('f'), gather('g')];
    await Promise.all(all);
    expect(ran).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const flown = diary.lines.filter((line) => line.startsWith('fly'));
    expect(flown).toEqual(['fly a', 'fly c,d', 'fly g']);
  });

  it('rejects a job that refuses alone, in the journal as in LMDB', async () => {
    for (const flies of [true, false]) {
      diary.flies = flies;
      const refusal = new StoreError('conflict', 'no');
      const refuse = writer.runInJournal(() => {
        throw refusal;
      });
      const results = await Promise.allSettled([gather('a'), refuse, gather('b')]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(results[1]).toMatchObject({ reason: refusal });
    }
  });

  it.each([
    ['an unforeseen error', new RangeError('out of range'), 'unavailable'],
    ['a corrupt record', new StoreError('corrupt', 'not a record'), 'corrupt'],
  ])('undoes the whole flight for %s, and goes on', async (_, thrown, kind) => {
    const bad = writer.runInJournal(() => {
      throw thrown;
    });
    const results = await Promise.allSettled([gather('a'), bad, gather('b')]);
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StoreError', kind } });
    expect(diary.lines).toEqual(['begin', 'undone']);
    await gather('c');
    expect(diary.lines.slice(2)).toEqual([expect.stringMatching(/^begin/), 'fly c', 'done']);
  });

  it('rejects with unavailable what cannot be made durable', async () => {
    diary.sync = () => Promise.reject(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }));
    const results = await Promise.allSettled([gather('a'), gather('b')]);
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StoreError', kind: 'unavailable' } });
    expect(diary.lines).toEqual(['begin', 'fly a,b', 'undone']);
  });

  it('gives a participant that is overdue a transaction of LMDB of its own', async () => {
    diary.isOverdue = true;
    await gather('a');
    expect(diary.lines).toEqual(['begin', 'write ', 'done', expect.stringMatching(/^begin/), 'fly a', 'done']);
  });

  it('goes on though a participant stays overdue', async () => {
    Object.defineProperty(diary, 'isOverdue', { get: () => true, set: () => {} });
    await Promise.all([gather('a'), store('b'), gather('c')]);
    expect(ran).toEqual(['a', 'b', 'c']);
  });
});

/** What is under way comes as far as it can without the disk. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
