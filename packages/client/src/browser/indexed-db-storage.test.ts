/** What is IndexedDB's own; what every storage must do is in storage/storages.test.ts. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { IDBFactory } from 'fake-indexeddb';
import type { StorageChange } from '../storage/storage.ts';
import { FakeLocks } from '../testing/fake-locks.ts';
import { FakeTime, settle } from '../testing/fake-time.ts';
import { IndexedDbStorage } from './indexed-db-storage.ts';
import { requestPersistence } from './persistence.ts';
import type { Database, DatabaseFactory, DatabaseTransaction } from './platform.ts';

const LOCK = 'sealwire/alice';
const one = { key: 'a/1', value: Uint8Array.of(1) };

let factory: InstanceType<typeof IDBFactory>;
let locks: FakeLocks;
let time: FakeTime;

beforeEach(() => {
  factory = new IDBFactory();
  locks = new FakeLocks();
  time = new FakeTime();
});

function open(indexedDB = factory as unknown as DatabaseFactory): Promise<IndexedDbStorage> {
  return IndexedDbStorage.open('alice', { indexedDB, locks, timers: time });
}

/** What the answer is before anybody has waited. */
async function watch<T>(promise: Promise<T>) {
  const seen: { answer?: T; error?: unknown } = {};
  promise.then(
    (answer) => {
      seen.answer = answer;
    },
    (error: unknown) => {
      seen.error = error;
    },
  );
  await settle();
  return seen;
}

/**
 * The factory, with what its transactions for writing are asked for and how they end in the hands
 * of the test.
 */
function watched(change: (transaction: DatabaseTransaction) => void = () => {}) {
  const modes: unknown[] = [];
  const databases: Database[] = [];
  const wrap = (database: Database) =>
    new Proxy(database, {
      get(target, name) {
        if (name === 'transaction')
          return (store: string, mode: 'readonly' | 'readwrite', options?: { readonly durability: 'strict' }) => {
            const transaction = target.transaction(store, mode, options);
            if (mode === 'readwrite') {
              modes.push(options);
              change(transaction);
            }
            return transaction;
          };
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set: (target, name, value) => Reflect.set(target, name, value, target),
    });
  const opened = (database: Database) => {
    databases.push(database);
    return wrap(database);
  };
  const indexedDB: DatabaseFactory = {
    open(name, version) {
      const request = factory.open(name, version) as unknown as ReturnType<DatabaseFactory['open']>;
      return new Proxy(request, {
        get: (target, key) => (key === 'result' ? opened(target.result) : Reflect.get(target, key, target)),
        set: (target, key, value) => Reflect.set(target, key, value, target),
      });
    },
  };
  return { indexedDB, modes, databases };
}

describe('a write', () => {
  it('is asked to be on the disk before it is called done', async () => {
    const { indexedDB, modes } = watched();
    const storage = await open(indexedDB);
    await storage.write([one]);
    expect(modes).toEqual([{ durability: 'strict' }]);
  });

  it('that fails in the middle leaves nothing of itself', async () => {
    const storage = await open();
    const unstorable = { key: 'a/2', value: { slice: () => () => {} } } as unknown as StorageChange;
    await expect(storage.write([one, unstorable])).rejects.toMatchObject({ code: 'storage-failed' });
    expect(await storage.load()).toEqual(new Map());
  });

  it('for which the browser has no room is told as that, and leaves nothing of itself', async () => {
    const { indexedDB } = watched((transaction) => {
      Object.defineProperty(transaction, 'error', { value: new DOMException('no room', 'QuotaExceededError') });
      setImmediate(() => transaction.abort());
    });
    const storage = await open(indexedDB);
    await expect(storage.write([one])).rejects.toMatchObject({
      code: 'storage-full',
      retryable: true,
      message: expect.stringContaining('free some'),
    });
    await storage.close();
    expect(await (await open()).load()).toEqual(new Map());
  });

  it('after the end is refused', async () => {
    const storage = await open();
    await storage.close();
    await expect(storage.write([one])).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('of two pages of one device', () => {
  it('F17: the second waits a moment for one that is just leaving, as when a page is loaded again', async () => {
    const first = await open();
    const opening = open();
    const second = await watch(opening);
    await time.pass(1_900);
    expect(second).toEqual({});
    await first.close();
    expect(await (await opening).load()).toEqual(new Map());
    expect(time.pending).toBe(0);
  });

  it('F17: the second is refused when the first stays, and says what to do', async () => {
    await open();
    const second = await watch(open());
    await time.pass(2_000);
    expect(second.error).toMatchObject({ code: 'locked', message: expect.stringContaining('close it') });
  });

  it('F17: who was robbed of the device writes nothing more', async () => {
    const storage = await open();
    locks.steal(LOCK);
    await settle();
    await expect(storage.write([one])).rejects.toMatchObject({ code: 'locked' });
    await expect(storage.load()).rejects.toMatchObject({ code: 'locked' });
  });

  it('one that could not open the database gives the device back', async () => {
    const broken = { open: () => failing(new DOMException('broken', 'UnknownError')) } as unknown as DatabaseFactory;
    await expect(open(broken)).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('broken'),
    });
    await (await open()).close();
  });
});

/** A request that fails in the next turn. */
function failing(error: Error) {
  const request = { error, onerror: () => {} };
  setImmediate(() => request.onerror());
  return request;
}

describe('a database', () => {
  it('that another page deletes is let go: the page gets its way, and this one is told', async () => {
    const storage = await open();
    await storage.write([one]);
    const deleted = factory.deleteDatabase('alice');
    await new Promise((resolve, reject) => {
      deleted.onsuccess = resolve;
      deleted.onblocked = reject;
    });
    await expect(storage.write([one])).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('another page deleted'),
    });
    await storage.close();
    expect(await (await open()).load()).toEqual(new Map());
  });

  it('that the browser removes while it is open is told of at the next write', async () => {
    const { indexedDB, databases } = watched();
    const storage = await open(indexedDB);
    databases.at(-1)!.onclose?.();
    await expect(storage.write([one])).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('the browser removed it'),
    });
  });

  it('that the browser removes in the middle of a write, of which it tells nothing more, leaves nobody waiting', async () => {
    const { indexedDB, databases } = watched((transaction) => {
      for (const event of ['oncomplete', 'onabort']) Object.defineProperty(transaction, event, { set() {} });
    });
    const storage = await open(indexedDB);
    const writing = await watch(storage.write([one]));
    expect(writing).toEqual({});
    databases.at(-1)!.onclose?.();
    await settle();
    expect(writing.error).toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('the browser removed it'),
    });
    await storage.close();
  });

  it('of a newer version is left as it is', async () => {
    const newer = factory.open('alice', 3);
    await new Promise((resolve) => {
      newer.onsuccess = resolve;
    });
    newer.result.close();
    await expect(open()).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('newer version'),
    });
  });

  it('of version 1, which had no archive, keeps its records and gets one', async () => {
    const older = factory.open('alice', 1);
    older.onupgradeneeded = () => void older.result.createObjectStore('records').put(Uint8Array.of(7), 'a/1');
    await new Promise((resolve) => {
      older.onsuccess = resolve;
    });
    older.result.close();
    const storage = await open();
    expect([...(await storage.load())]).toEqual([['a/1', Uint8Array.of(7)]]);
    await storage.write([{ key: 'history/1', value: Uint8Array.of(8) }]);
    expect(await storage.read(['history/1'])).toEqual([Uint8Array.of(8)]);
    await storage.close();
  });

  it('with what is no record is damaged', async () => {
    const storage = await open();
    await storage.write([one]);
    await storage.close();
    const raw = factory.open('alice', 2);
    await new Promise((resolve) => {
      raw.onsuccess = resolve;
    });
    const transaction = raw.result.transaction('records', 'readwrite');
    transaction.objectStore('records').put('text', 'a/2');
    await new Promise((resolve) => {
      transaction.oncomplete = resolve;
    });
    raw.result.close();
    await expect((await open()).load()).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('where there is no browser', () => {
  it('says what is missing', async () => {
    await expect(IndexedDbStorage.open('alice')).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('https'),
    });
  });

  it.each([
    ['promised', { persist: async () => true }, true],
    ['refused', { persist: async () => false }, false],
    ['unknown', undefined, false],
  ])('persistence is %s', async (_what, storage, answer) => {
    expect(await requestPersistence(storage)).toBe(answer);
  });
});
