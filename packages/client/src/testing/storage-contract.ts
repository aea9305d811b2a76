/**
 * What every storage must do, as tests: an adapter's test file calls `storageContract` and adds
 * nothing but its own faults.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ARCHIVE, type ClientStorage } from '../storage/storage.ts';
import { settle } from './fake-time.ts';

/** A place where one device keeps its records, empty at first. */
export interface StoragePlace {
  open(): Promise<ClientStorage>;
  remove(): void;
}

const bytes = (...values: number[]) => Uint8Array.from(values);

/** Registers the suite. */
export function storageContract(name: string, newPlace: () => StoragePlace): void {
  describe(`storage contract: ${name}`, () => {
    let place: StoragePlace;
    beforeEach(() => {
      place = newPlace();
    });
    afterEach(() => place.remove());

    /** What the next owner finds. */
    async function reopened(storage: ClientStorage): Promise<Map<string, Uint8Array>> {
      await storage.close();
      const next = await place.open();
      const records = await next.load();
      await next.close();
      return records;
    }

    async function opened(): Promise<ClientStorage> {
      const storage = await place.open();
      expect(await storage.load()).toEqual(new Map());
      return storage;
    }

    it('gives back what was written, whatever its length, and not what was taken away', async () => {
      const storage = await opened();
      const device = 'lime-c25519/device/sip:alice@example.org;gr=urn:uuid:0';
      await storage.write([
        { key: 'a/1', value: bytes(1) },
        { key: 'a/2', value: bytes() },
        { key: device, value: new Uint8Array(70_000).fill(9) },
        { key: 'a/ζ', value: bytes(2) },
      ]);
      await storage.write([{ key: 'a/1' }, { key: 'never/there' }, { key: 'a/2', value: bytes(3) }]);
      const records = await reopened(storage);
      expect([...records.keys()].sort()).toEqual(['a/2', 'a/ζ', device]);
      expect([...records.get('a/2')!]).toEqual([3]);
      expect(records.get(device)).toHaveLength(70_000);
      expect(records.get(device)!.every((byte) => byte === 9)).toBe(true);
    });

    it('holds an empty record, which is not none', async () => {
      const storage = await opened();
      await storage.write([{ key: 'a/1', value: bytes() }]);
      expect((await reopened(storage)).get('a/1')).toHaveLength(0);
    });

    it('copies what it is given before the call returns, of a view no more than the view', async () => {
      const storage = await opened();
      const large = new Uint8Array(1_000).fill(7);
      const written = storage.write([{ key: 'a/1', value: large.subarray(10, 13) }]);
      large.fill(0);
      await written;
      const value = (await reopened(storage)).get('a/1')!;
      expect([...value]).toEqual([7, 7, 7]);
      expect(value.buffer.byteLength).toBeLessThan(100);
    });

    it('keeps the order of writes that nobody waited for, and close waits for all of them', async () => {
      const storage = await opened();
      let written = 0;
      const writes = Array.from({ length: 20 }, async (_, n) => {
        await storage.write([{ key: 'a/1', value: bytes(n) }]);
        written++;
      });
      await storage.close();
      await settle();
      expect(written).toBe(20);
      await Promise.all(writes);
      expect([...(await reopened(storage)).get('a/1')!]).toEqual([19]);
    });

    it('gives arrays away: who changes them changes no record', async () => {
      const storage = await opened();
      await storage.write([{ key: 'a/1', value: bytes(1) }]);
      await storage.close();
      const second = await place.open();
      (await second.load()).get('a/1')!.fill(0);
      expect([...(await reopened(second)).get('a/1')!]).toEqual([1]);
    });

    it('hands archived records out by key, and keeps them out of what is loaded', async () => {
      const storage = await opened();
      const key = `${ARCHIVE}p sip:bob@example.org 7`;
      const large = new Uint8Array(1_000).fill(7);
      const written = storage.write([
        { key, value: large.subarray(10, 13) },
        { key: `${ARCHIVE}gone`, value: bytes(1) },
        { key: 'a/1', value: bytes(1) },
        { key: 'i/1', value: bytes(2) },
      ]);
      large.fill(0);
      await written;
      expect(await storage.read!([`${ARCHIVE}never`, key])).toEqual([undefined, bytes(7, 7, 7)]);
      await storage.write([{ key: `${ARCHIVE}gone` }, { key, value: bytes(8) }]);
      await storage.close();
      const next = await place.open();
      expect([...(await next.load()).keys()].sort()).toEqual(['a/1', 'i/1']);
      const [first, gone] = await next.read!([key, `${ARCHIVE}gone`]);
      expect([first, gone]).toEqual([bytes(8), undefined]);
      first!.fill(0);
      expect(await next.read!([key])).toEqual([bytes(8)]);
      await next.close();
    });

    it('F17: has one owner; a second one is refused, and let in when the first has closed, twice too', async () => {
      const first = await opened();
      const refused = async () => (await place.open()).load();
      await expect(refused()).rejects.toMatchObject({ code: 'locked' });
      await first.close();
      await first.close();
      await (await opened()).close();
    });
  });
}
