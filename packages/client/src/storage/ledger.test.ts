import { describe, expect, it } from '@jest/globals';
import { ClientError } from '../errors.ts';
import { Ledger } from './ledger.ts';
import { MemoryStorage } from './memory-storage.ts';
import type { StorageChange } from './storage.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

/** Counts writes, and fails when told to. */
class WatchedStorage extends MemoryStorage {
  writes: (readonly StorageChange[])[] = [];
  failing = false;

  override async write(changes: readonly StorageChange[]): Promise<void> {
    if (this.failing) throw new ClientError('storage-failed', 'disk full');
    this.writes.push(changes);
    await super.write(changes);
  }
}

describe('Ledger', () => {
  it('shows a change to others only when it is durable', async () => {
    const ledger = await Ledger.open(new MemoryStorage());
    const committed = ledger.commit((transaction) => {
      transaction.set('a/1', bytes(1));
      return transaction.get('a/1');
    });
    expect(ledger.get('a/1')).toBeUndefined();
    expect(await committed).toEqual(bytes(1));
    expect(ledger.get('a/1')).toEqual(bytes(1));
  });

  it('makes changes that wait together durable by one write, each on top of the one before', async () => {
    const storage = new WatchedStorage();
    const ledger = await Ledger.open(storage);
    const add = () =>
      ledger.commit((transaction) => {
        const next = (transaction.get('n/sum')?.[0] ?? 0) + 1;
        transaction.set('n/sum', bytes(next));
        return next;
      });
    expect(await Promise.all([add(), add(), add()])).toEqual([1, 2, 3]);
    expect(storage.writes).toEqual([[{ key: 'n/sum', value: bytes(3) }]]);
  });

  it('drops the changes of a function that throws, and of no other', async () => {
    const ledger = await Ledger.open(new MemoryStorage());
    const failing = ledger.commit((transaction) => {
      transaction.set('a/1', bytes(1));
      throw new Error('no');
    });
    const fine = ledger.commit(
      (transaction) => transaction.get('a/1') === undefined && transaction.set('a/2', bytes(2)),
    );
    await expect(failing).rejects.toThrow('no');
    await fine;
    expect(ledger.keys('a/')).toEqual(['a/2']);
  });

  it('keeps nested changes when the work answers, and drops them when it throws', async () => {
    const ledger = await Ledger.open(new MemoryStorage());
    await ledger.commit((transaction) => {
      transaction.set('a/1', bytes(1));
      transaction.nested((inner) => inner.set('a/2', bytes(2)));
      expect(() =>
        transaction.nested((inner) => {
          inner.delete('a/1');
          inner.set('a/3', bytes(3));
          throw new Error('no');
        }),
      ).toThrow('no');
      expect(transaction.keys('a/')).toEqual(['a/1', 'a/2']);
    });
    expect(ledger.keys('a/')).toEqual(['a/1', 'a/2']);
  });

  it('after a failed write nothing has changed, and every later commit fails: the disk’s state is unknown', async () => {
    const storage = new WatchedStorage();
    const ledger = await Ledger.open(storage);
    await ledger.commit((transaction) => transaction.set('a/1', bytes(1)));
    storage.failing = true;
    await expect(ledger.commit((transaction) => transaction.set('a/1', bytes(9)))).rejects.toMatchObject({
      code: 'storage-failed',
    });
    expect(ledger.get('a/1')).toEqual(bytes(1));
    storage.failing = false;
    await expect(ledger.commit((transaction) => transaction.set('a/2', bytes(2)))).rejects.toMatchObject({
      code: 'storage-failed',
    });
  });

  it('reopens with what was durable, deletions too', async () => {
    const storage = new MemoryStorage();
    const first = await Ledger.open(storage);
    await first.commit((transaction) => {
      transaction.set('b/2', bytes(2));
      transaction.set('b/1', bytes(1));
      transaction.set('bb/1', bytes(3));
    });
    await first.commit((transaction) => transaction.delete('b/2'));
    await first.close();
    await expect(first.commit(() => undefined)).rejects.toMatchObject({ code: 'closed' });
    const second = await Ledger.open(storage);
    expect(second.keys('b/')).toEqual(['b/1']);
    expect(second.get('bb/1')).toEqual(bytes(3));
  });

  it('F17: two clients cannot have one storage open', async () => {
    const storage = new MemoryStorage();
    const first = await Ledger.open(storage);
    await expect(Ledger.open(storage)).rejects.toMatchObject({ code: 'locked' });
    await first.close();
    await Ledger.open(storage);
  });
});
