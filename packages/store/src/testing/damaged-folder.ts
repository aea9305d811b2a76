/** A data folder with thirty messages, for the tests of what a bad disk does to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { ALICE, BOB, deviceId, mail, people, ROOMY } from '../contract/fixture.ts';
import { type LmdbStoreOptions, openLmdbStore } from '../lmdb.ts';
import type { AppendResult, DamagedPart, Store } from '../port.ts';
import { placesOf } from './damage.ts';
import { copyOf } from './power-cut.ts';

export const SENDER = deviceId(BOB, 1);
export const MESSAGES = 30;
export const DATA = 'data.mdb';

/** What the newest test has. */
export interface DamagedFolder {
  path: string;
  stores: Store[];
  /** What stores have reported. */
  damages: DamagedPart[];
  open(folder?: string, options?: Partial<LmdbStoreOptions>): Promise<Store>;
  /** As `kill -9` leaves the folder. */
  copied(from?: string): string;
  /** Thirty messages of 100 bytes for the first of two devices, and one before them for the second. */
  filled(): Promise<[DeviceId, DeviceId]>;
  /** The same, closed: all of it is in segments. */
  settled(): Promise<[DeviceId, DeviceId]>;
}

/** Another folder for each test; stores are closed after it. */
export function eachWithFolder(): DamagedFolder {
  let folders: string[];
  const one: DamagedFolder = {
    path: '',
    stores: [],
    damages: [],
    async open(folder = one.path, options = {}) {
      const reports = {
        isNew() {},
        full() {},
        hasSpace() {},
        damaged: (part: DamagedPart) => void one.damages.push(part),
      };
      const store = await openLmdbStore({ path: folder, reports, ...options });
      one.stores.push(store);
      return store;
    },
    copied(from = one.path) {
      const copy = copyOf(from);
      folders.push(copy);
      return copy;
    },
    async filled() {
      const store = await one.open();
      const [phone, laptop] = (await people(store, ALICE, 2)) as [DeviceId, DeviceId];
      await send(store, 1_000, [laptop]);
      for (let n = 1; n <= MESSAGES; n++) await send(store, n, [phone]);
      return [phone, laptop];
    },
    async settled() {
      const devices = await one.filled();
      await one.stores[0]?.close();
      return devices;
    },
  };
  beforeEach(() => {
    one.path = mkdtempSync(join(tmpdir(), 'sealwire-damage-'));
    folders = [one.path];
    one.stores = [];
    one.damages = [];
  });
  afterEach(async () => {
    for (const store of one.stores) await store.close();
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
  return one;
}

/** Message `n`, whose body is `n`, a hundred times. */
export async function send(
  store: Store,
  n: number,
  to: readonly DeviceId[],
  digest = n,
): Promise<AppendResult | undefined> {
  const [result] = await store.mailboxes.append([mail(n, SENDER, to, { size: 100, digest })], ROOMY);
  return result;
}

/** Where the body of message `n` is in the data file. */
export function bodyAt(folder: string, n: number): number {
  const places = placesOf(join(folder, DATA), new Uint8Array(100).fill(n));
  expect(places.length).toBeGreaterThan(0);
  return places.at(-1) as number;
}
