import { describe, expect, it } from '@jest/globals';
import {
  ALICE,
  account,
  BOB,
  device,
  deviceId,
  eachWithStore,
  expectError,
  listed,
  manifest,
  NOW,
  type OpenStore,
  people,
  secret,
} from './fixture.ts';

export function accountsContract(open: OpenStore): void {
  describe('accounts', () => {
    const store = eachWithStore(open);

    it('creates an account with its first manifest and devices', async () => {
      expect(await store().accounts.create(account(ALICE), manifest(1), [device(ALICE, 1), device(ALICE, 2)])).toBe(
        'created',
      );
      expect(await store().accounts.find(ALICE)).toEqual(account(ALICE));
      expect(await store().manifests.newest(ALICE)).toEqual(manifest(1));
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 1), device(ALICE, 2)]);
    });

    it('says exists to the same call again, and changes nothing', async () => {
      await store().accounts.create(account(ALICE), manifest(1), [device(ALICE, 1)]);
      await store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 2)], NOW);
      expect(await store().accounts.create(account(ALICE), manifest(1), [device(ALICE, 1)])).toBe('exists');
      expect(await store().manifests.newest(ALICE)).toEqual(manifest(2));
      expect(await listed(store(), ALICE)).toHaveLength(2);
    });

    it('says exists to the same call ten times in parallel, but for one', async () => {
      const results = await Promise.all(
        Array.from({ length: 10 }, () => store().accounts.create(account(ALICE), manifest(1), [device(ALICE, 1)])),
      );
      expect(results.sort()).toEqual(['created', ...Array.from({ length: 9 }, () => 'exists')]);
    });

    it.each([
      ['another key', 2, 1],
      ['the same key and another manifest', 1, 9],
    ])('refuses a taken address: %s', async (_, key, content) => {
      await people(store(), ALICE, 1);
      const again = store().accounts.create(account(ALICE, key), manifest(1, content), [device(ALICE, 2)]);
      await expectError(again, 'conflict');
      expect(await store().accounts.find(ALICE)).toEqual(account(ALICE));
      expect(await store().devices.find(deviceId(ALICE, 2))).toBeUndefined();
    });

    it('refuses a device id that another account has, had, or that is named twice, and creates nothing', async () => {
      await people(store(), ALICE, 2);
      await store().devices.remove(deviceId(ALICE, 2), NOW);
      await expectError(store().accounts.create(account(BOB), manifest(1), [device(ALICE, 1)]), 'conflict');
      await expectError(store().accounts.create(account(BOB), manifest(1), [device(ALICE, 2)]), 'conflict');
      await expectError(
        store().accounts.create(account(BOB), manifest(1), [device(BOB, 1), device(BOB, 1)]),
        'conflict',
      );
      expect(await store().accounts.find(BOB)).toBeUndefined();
      expect(await store().devices.find(deviceId(BOB, 1))).toBeUndefined();
      expect(await store().accounts.create(account(BOB), manifest(1), [device(BOB, 1)])).toBe('created');
    });

    it('refuses a first manifest that is not version 1', async () => {
      await expectError(store().accounts.create(account(ALICE), manifest(2), [device(ALICE, 1)]), 'conflict');
    });

    it('gives an address to one of two keys that ask in parallel', async () => {
      const results = await Promise.allSettled([
        store().accounts.create(account(ALICE, 1), manifest(1, 1), [device(ALICE, 1)]),
        store().accounts.create(account(ALICE, 2), manifest(1, 2), [device(ALICE, 2)]),
      ]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('I12: a deleted account is gone with its devices, and neither its address nor its device ids come back', async () => {
      const [phone] = await people(store(), ALICE, 2);
      await store().accounts.delete(ALICE, NOW);
      expect(await store().accounts.find(ALICE)).toBeUndefined();
      expect(await store().manifests.newest(ALICE)).toBeUndefined();
      expect(await store().manifests.history(ALICE, 0, 10)).toEqual([]);
      expect(await store().devices.find(phone!)).toBeUndefined();
      expect(await listed(store(), ALICE)).toEqual([]);
      await expectError(store().accounts.create(account(ALICE), manifest(1), [device(ALICE, 1)]), 'conflict');
      await expectError(store().accounts.create(account(ALICE), manifest(1), [device(ALICE, 3)]), 'conflict');
      await expectError(store().accounts.create(account(BOB), manifest(1), [device(ALICE, 1)]), 'conflict');
      await expectError(store().manifests.publish(ALICE, manifest(2), [], NOW), 'not-found');
    });

    it('deletes an account again, or one that never was, without a word', async () => {
      await people(store(), ALICE, 1);
      await store().accounts.delete(ALICE, NOW);
      await store().accounts.delete(ALICE, NOW);
      await store().accounts.delete(BOB, NOW);
      expect(await store().accounts.create(account(BOB), manifest(1), [device(BOB, 1)])).toBe('created');
    });

    it('copies what comes in and hands out copies', async () => {
      const mine = account(ALICE);
      const first = manifest(1);
      const phone = device(ALICE, 1);
      const created = store().accounts.create(mine, first, [phone]);
      for (const array of [mine.accountKey, first.bytes, first.signature, phone.loginKey]) array.fill(255);
      phone.identities[0]?.identityKey.fill(255);
      await created;
      (await store().accounts.find(ALICE))?.accountKey.fill(254);
      (await store().manifests.newest(ALICE))?.bytes.fill(254);
      (await store().devices.find(phone.id))?.identities[0]?.identityKey.fill(254);
      expect(await store().accounts.find(ALICE)).toEqual(account(ALICE));
      expect(await store().manifests.newest(ALICE)).toEqual(manifest(1));
      expect(await store().devices.find(phone.id)).toEqual(device(ALICE, 1));
    });
  });

  describe('invitations', () => {
    let code: Uint8Array;
    const store = eachWithStore(open, () => {
      code = secret(7);
    });
    const create = (address = ALICE, now = NOW) =>
      store().accounts.create(account(address), manifest(1), [device(address, 1)], { hash: code, now });

    it('are good for as many accounts as they say', async () => {
      await store().accounts.addInvitation(code, 1, NOW + 1);
      expect(await create(ALICE)).toBe('created');
      await expectError(create(BOB), 'not-found');
      expect(await store().accounts.find(BOB)).toBeUndefined();
    });

    it('are good until they end, and no longer', async () => {
      await store().accounts.addInvitation(code, 2, NOW + 1);
      await expectError(create(ALICE, NOW + 1), 'not-found');
      expect(await create(ALICE, NOW)).toBe('created');
    });

    it('I10: an unknown one is good for nothing, and does not tell whether the address is taken', async () => {
      await people(store(), BOB, 1);
      await expectError(create(ALICE), 'not-found');
      await expectError(
        store().accounts.create(account(BOB, 9), manifest(1, 9), [device(BOB, 2)], { hash: code, now: NOW }),
        'not-found',
      );
    });

    it('are not consumed by a repeat or by a refusal', async () => {
      await store().accounts.addInvitation(code, 2, NOW + 1);
      expect(await create(ALICE)).toBe('created');
      expect(await create(ALICE)).toBe('exists');
      await expectError(
        store().accounts.create(account(ALICE, 9), manifest(1, 9), [device(ALICE, 9)], { hash: code, now: NOW }),
        'conflict',
      );
      expect(await create(BOB)).toBe('created');
      await expectError(
        store().accounts.create(account(ALICE, 9), manifest(1, 9), [device(ALICE, 9)], { hash: code, now: NOW }),
        'not-found',
      );
    });

    it('answer a repeat with exists even when they are used up', async () => {
      await store().accounts.addInvitation(code, 1, NOW + 1);
      expect(await create(ALICE)).toBe('created');
      expect(await create(ALICE, NOW + 9)).toBe('exists');
    });

    it('serve one of two that take the last use in parallel', async () => {
      await store().accounts.addInvitation(code, 1, NOW + 1);
      const results = await Promise.allSettled([create(ALICE), create(BOB)]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('are set anew by adding the same one again', async () => {
      await store().accounts.addInvitation(code, 1, NOW + 1);
      await store().accounts.addInvitation(code, 5, NOW - 1);
      await expectError(create(ALICE), 'not-found');
    });
  });
}
