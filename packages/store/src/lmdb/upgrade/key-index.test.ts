import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ALICE, account, BOB, bundle, device, deviceId, manifest, NOW, people } from '../../contract/fixture.ts';
import { openLmdbStore } from '../../lmdb.ts';
import { KeyTakenError } from '../../port.ts';
import { openEnvironment } from '../environment.ts';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sealwire-'));
});
afterEach(() => rmSync(path, { recursive: true }));

it('a folder from before the index of key owners gets it when it is opened, and keeps it', async () => {
  const before = await openLmdbStore({ path });
  await people(before, ALICE, 2);
  await before.prekeys.register(deviceId(ALICE, 1), 'c25519', bundle(1), []);
  await before.devices.remove(deviceId(ALICE, 2), NOW);
  await before.close();
  const environment = openEnvironment(path);
  await environment.databases.keyowners.clearAsync();
  await environment.close();

  for (let opening = 0; opening < 2; opening++) {
    const store = await openLmdbStore({ path });
    const thief = (identityKey: Uint8Array) => [
      { ...device(BOB, 1), identities: [{ suite: 'c25519' as const, identityKey }] },
    ];
    for (const key of [
      account(ALICE).accountKey,
      device(ALICE, 1).loginKey,
      bundle(1).identityKey,
      bundle(1).signedPrekey.publicKey,
    ])
      await expect(store.accounts.create(account(BOB), manifest(1), thief(key))).rejects.toBeInstanceOf(KeyTakenError);
    await store.close();
  }
  const store = await openLmdbStore({ path });
  const heir = [{ ...device(BOB, 1), loginKey: device(ALICE, 2).loginKey }];
  expect(await store.accounts.create(account(BOB), manifest(1), heir)).toBe('created');
  await store.close();
});
