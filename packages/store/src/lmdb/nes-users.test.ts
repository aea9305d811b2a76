/** What the contract cannot ask of every adapter: who was not activated does not stay on the disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { NOW } from '../contract/fixture.ts';
import { openLmdbStore } from '../lmdb.ts';
import { NES_KEPT_MS } from '../sameness.ts';
import { openEnvironment } from './environment.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-nes-users-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const user = (n: number, expiresAt: number) => {
  const hash = new Uint8Array(32).fill(n);
  return { name: `user${n}`, messageKey: 'm', signKey: 's', activation: hash, deletion: hash, expiresAt };
};

it('users of NES whom nobody activated are forgotten by later registrations, those who were are not', async () => {
  const store = await openLmdbStore({ path: folder });
  for (let n = 0; n < 10; n++) await store.nesUsers.register(user(n, NOW + n), NOW);
  await store.nesUsers.activate('user3', user(3, 0).activation, NOW);
  await store.nesUsers.remove('user4', user(4, 0).deletion);
  const late = NOW + 9 + NES_KEPT_MS;
  for (let n = 10; n < 13; n++) await store.nesUsers.register(user(n, late + 1), late);
  await store.close();
  const { databases, close } = openEnvironment(folder);
  expect([...databases.nesusers.getKeys({})].map(String)).toEqual(['user10', 'user11', 'user12', 'user3']);
  expect([...databases.nesuserends.getKeys({})]).toHaveLength(3);
  await close();
});
