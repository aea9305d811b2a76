import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ALICE, bundle, expectError, oneTimeKeys, people } from '../contract/fixture.ts';
import { openLmdbStore } from '../lmdb.ts';
import type { Store } from '../port.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { lmdbPrekeys } from './prekeys.ts';
import { Writer } from './writer.ts';

let folder: string;
let store: Store;
let other: Environment;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-'));
  store = await openLmdbStore({ path: folder });
  other = openEnvironment(folder);
});

afterEach(async () => {
  await other.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

describe('a claim', () => {
  it('writes only when there is a one-time key to take, and sees at once what others have committed', async () => {
    const writer = new Writer(other);
    await writer.close();
    const cannotWrite = lmdbPrekeys(other, writer);
    const [phone, laptop] = (await people(store, ALICE, 2)) as [never, never];
    const claim = () =>
      cannotWrite.claim('c25519', [
        { device: phone, takeOneTime: true },
        { device: laptop, takeOneTime: true },
      ]);

    expect(await claim()).toEqual([undefined, undefined]);
    await store.prekeys.register(phone, 'c25519', bundle(1), []);
    expect(await claim()).toEqual([bundle(1), undefined]);
    await store.prekeys.addOneTime(phone, 'c25519', oneTimeKeys(1), 10);
    await expectError(claim(), 'unavailable');
    await store.prekeys.claim('c25519', [{ device: phone, takeOneTime: true }]);
    expect(await claim()).toEqual([bundle(1), undefined]);
  });
});
