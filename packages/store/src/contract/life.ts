import { describe, expect, it } from '@jest/globals';
import {
  ALICE,
  accepted,
  account,
  BOB,
  bundle,
  bytes,
  device,
  deviceId,
  eachWithStore,
  expectError,
  LIFE_MS,
  mail,
  manifest,
  NOW,
  type OpenStore,
  people,
  ROOMY,
  secret,
  upTo,
} from './fixture.ts';

export function lifeContract(open: OpenStore): void {
  describe('once', () => {
    const store = eachWithStore(open);

    it('is true for the first, and false for all later ones until it ends', async () => {
      expect(await store().once.take(secret(1), NOW + 100, NOW)).toBe(true);
      expect(await store().once.take(secret(1), NOW + 900, NOW + 1)).toBe(false);
      expect(await store().once.take(secret(1), NOW + 900, NOW + 99)).toBe(false);
      expect(await store().once.take(secret(2), NOW + 900, NOW + 99)).toBe(true);
      expect(await store().once.take(secret(1), NOW + 900, NOW + 100)).toBe(true);
      expect(await store().once.take(secret(1), NOW + 900, NOW + 899)).toBe(false);
    });

    it('is true for one of twenty in parallel', async () => {
      const taken = await Promise.all(Array.from({ length: 20 }, () => store().once.take(secret(1), NOW + 1, NOW)));
      expect(taken.filter(Boolean)).toHaveLength(1);
    });

    it('keeps keys of any length apart', async () => {
      const own = secret(1);
      const ends = [new Uint8Array(0), bytes(0, 1), bytes(0, 2), bytes(255, 1), bytes(255, 200)];
      const keys = ends.map((end) => Uint8Array.from([...own, ...end]));
      for (const expected of [true, false])
        for (const key of keys) expect(await store().once.take(key, NOW + 1, NOW)).toBe(expected);
    });

    it('goes on while thousands come and end', async () => {
      for (let n = 0; n < 3_000; n += 100) {
        const keys = Array.from({ length: 100 }, (_, i) => Uint8Array.of(...secret(1), (n + i) & 255, (n + i) >> 8));
        const taken = await Promise.all(keys.map((key) => store().once.take(key, NOW + n + 200, NOW + n)));
        expect(taken).not.toContain(false);
        expect(await store().once.take(keys[0]!, NOW + n + 200, NOW + n + 199)).toBe(false);
      }
    });

    it('copies the key', async () => {
      const key = secret(1);
      const taken = store().once.take(key, NOW + 1, NOW);
      key.fill(2);
      await taken;
      expect(await store().once.take(secret(1), NOW + 1, NOW)).toBe(false);
    });
  });

  describe('the time by which mail expires', () => {
    const store = eachWithStore(open);

    it('is what was written last, earlier or later', async () => {
      for (const time of [NOW, NOW + 10 * 365 * 86_400_000, NOW - 1]) {
        await store().expiryTime.write(time);
        expect(await store().expiryTime.read()).toBe(time);
      }
    });
  });

  describe('probe and close', () => {
    const store = eachWithStore(open);

    it('probes as often as it is asked', async () => {
      for (let time = 0; time < 3; time++) expect(await store().probe()).toBeUndefined();
    });

    it('waits for what is under way', async () => {
      await people(store(), ALICE, 1);
      const message = mail(1, deviceId(BOB, 1), [deviceId(ALICE, 1)]);
      const appended = store().mailboxes.append([message], ROOMY);
      const closed = store().close();
      expect(await appended).toEqual([accepted(1)]);
      await closed;
    });

    it('rejects every call once it is closed, and closes again without a word', async () => {
      const { accounts, manifests, devices, prekeys, mailboxes, once, expiryTime, probe } = store();
      await store().close();
      await store().close();
      const phone = deviceId(ALICE, 1);
      const calls: (() => Promise<unknown>)[] = [
        () => accounts.create(account(ALICE), manifest(1), [device(ALICE, 1)]),
        () => accounts.find(ALICE),
        () => accounts.delete(ALICE, NOW),
        () => accounts.addInvitation(bytes(1), 1, NOW),
        () => manifests.newest(ALICE),
        () => manifests.history(ALICE, 0, 1),
        () => manifests.publish(ALICE, manifest(2), [], NOW),
        () => devices.find(phone),
        () => devices.list([ALICE]),
        () => devices.remove(phone, NOW),
        () => prekeys.register(phone, 'c25519', bundle(1), []),
        () => prekeys.replaceSignedPrekey(phone, 'c25519', bundle(1).signedPrekey),
        () => prekeys.addOneTime(phone, 'c25519', [], { maximum: 1, now: NOW }),
        () => prekeys.listOneTime(phone, 'c25519'),
        () => prekeys.claim('c25519', [phone], NOW),
        () => prekeys.find('c25519', [phone]),
        () => prekeys.delete(phone, 'c25519'),
        () => mailboxes.append([mail(1, phone, [phone])], ROOMY),
        () => mailboxes.read(phone, { after: 0, messages: 1, bytes: 1, horizon: NOW - LIFE_MS }),
        () => mailboxes.acknowledge([upTo(phone, 1)]),
        () => mailboxes.claimSession(phone, 1),
        () => mailboxes.usage(phone),
        () => mailboxes.expire(NOW, 1),
        () => once.take(secret(1), NOW, NOW),
        () => expiryTime.read(),
        () => expiryTime.write(NOW),
        () => probe(),
      ];
      for (const call of calls) await expectError(call(), 'unavailable');
    });
  });
}
