import { describe, expect, it } from '@jest/globals';
import {
  ALICE,
  BOB,
  bundle,
  bytes,
  device,
  deviceId,
  eachWithStore,
  expectError,
  listed,
  mail,
  manifest,
  NOW,
  type OpenStore,
  oneTimeKeys,
  people,
  ROOMY,
} from './fixture.ts';

export function manifestsContract(open: OpenStore): void {
  describe('manifests', () => {
    const store = eachWithStore(open);

    it('are unknown where there is no account', async () => {
      expect(await store().manifests.newest(ALICE)).toBeUndefined();
      expect(await store().manifests.history(ALICE, 0, 10)).toEqual([]);
      await expectError(store().manifests.publish(ALICE, manifest(1), [], NOW), 'not-found');
    });

    it('follow one another by one', async () => {
      await people(store(), ALICE, 1);
      await store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1)], NOW);
      for (const version of [1, 2, 4])
        await expectError(store().manifests.publish(ALICE, manifest(version, 99), [device(ALICE, 1)], NOW), 'conflict');
      await store().manifests.publish(ALICE, manifest(3), [device(ALICE, 1)], NOW);
      expect(await store().manifests.newest(ALICE)).toEqual(manifest(3));
    });

    it('may be published again with the very same bytes, also after a newer one: nothing changes', async () => {
      await people(store(), ALICE, 1);
      await store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 2)], NOW);
      await store().manifests.publish(ALICE, manifest(3), [device(ALICE, 1)], NOW);
      await store().manifests.publish(ALICE, manifest(3), [device(ALICE, 1)], NOW);
      await store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 2)], NOW);
      expect(await store().manifests.newest(ALICE)).toEqual(manifest(3));
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 1)]);
    });

    it('are told in ascending order, above a version, at most so many', async () => {
      await people(store(), ALICE, 1);
      for (let version = 2; version <= 5; version++)
        await store().manifests.publish(ALICE, manifest(version), [device(ALICE, 1)], NOW);
      expect(await store().manifests.history(ALICE, 0, 10)).toEqual([1, 2, 3, 4, 5].map((n) => manifest(n)));
      expect(await store().manifests.history(ALICE, 2, 2)).toEqual([manifest(3), manifest(4)]);
      expect(await store().manifests.history(ALICE, 5, 10)).toEqual([]);
      expect(await store().manifests.history(ALICE, 0, 0)).toEqual([]);
    });

    it('add devices and take others away with their prekeys and mailbox', async () => {
      const [phone, laptop] = await people(store(), ALICE, 2);
      await store().prekeys.register(laptop!, 'c25519', bundle(1), oneTimeKeys(1));
      await store().mailboxes.append([mail(1, phone!, [laptop!])], ROOMY);
      await store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 3)], NOW);
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 1), device(ALICE, 3)]);
      expect(await store().devices.find(laptop!)).toBeUndefined();
      expect(await store().prekeys.claim('c25519', [laptop!], NOW)).toEqual([undefined]);
      await expectError(store().prekeys.listOneTime(laptop!, 'c25519'), 'not-found');
      expect(await store().mailboxes.usage(laptop!)).toEqual({ messages: 0, bytes: 0 });
      expect(await store().mailboxes.append([mail(2, phone!, [laptop!])], ROOMY)).toEqual([
        { status: 'unknown', devices: [laptop] },
      ]);
    });

    it('I12: cannot bring back a device that was removed, by a manifest or by hand', async () => {
      await people(store(), ALICE, 3);
      await store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 2)], NOW);
      await store().devices.remove(deviceId(ALICE, 2), NOW);
      const all = [device(ALICE, 1), device(ALICE, 2)];
      await expectError(store().manifests.publish(ALICE, manifest(3), all, NOW), 'conflict');
      await expectError(store().manifests.publish(ALICE, manifest(3), [device(ALICE, 3)], NOW), 'conflict');
      expect(await store().manifests.newest(ALICE)).toEqual(manifest(2));
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 1)]);
    });

    it('cannot take a device of another account, and then change nothing', async () => {
      await people(store(), ALICE, 1);
      await people(store(), BOB, 1);
      await expectError(store().manifests.publish(BOB, manifest(2), [device(ALICE, 1)], NOW), 'conflict');
      expect(await listed(store(), BOB)).toEqual([device(BOB, 1)]);
      expect(await store().devices.find(deviceId(ALICE, 1))).toEqual(device(ALICE, 1));
    });

    it('cannot change the keys of a device that stays', async () => {
      await people(store(), ALICE, 1);
      const stays = device(ALICE, 1);
      const [first, second] = stays.identities;
      const changes = [
        { ...stays, loginKey: bytes(255) },
        { ...stays, identities: [first!] },
        { ...stays, identities: [second!, first!] },
        { ...stays, identities: [{ suite: 'c25519' as const, identityKey: bytes(255) }, second!] },
      ];
      for (const changed of changes)
        await expectError(store().manifests.publish(ALICE, manifest(2), [changed], NOW), 'conflict');
      expect(await store().devices.find(stays.id)).toEqual(stays);
    });

    it('accept one of two that are published in parallel', async () => {
      await people(store(), ALICE, 1);
      const results = await Promise.allSettled([
        store().manifests.publish(ALICE, manifest(2, 21), [device(ALICE, 1), device(ALICE, 2)], NOW),
        store().manifests.publish(ALICE, manifest(2, 22), [device(ALICE, 1), device(ALICE, 3)], NOW),
      ]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await listed(store(), ALICE)).toHaveLength(2);
    });
  });
}
