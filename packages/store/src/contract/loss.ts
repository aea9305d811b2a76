import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  ALICE,
  accepted,
  BOB,
  deviceId,
  eachWithStore,
  LIFE_MS,
  MANY,
  mail,
  NOW,
  type OpenStore,
  people,
  ROOMY,
  readAll,
  upTo,
} from './fixture.ts';

export function lossContract(open: OpenStore): void {
  describe('losses', () => {
    let phone: DeviceId;
    let laptop: DeviceId;
    let bob: DeviceId;
    const store = eachWithStore(open, () => {
      phone = deviceId(ALICE, 1);
      laptop = deviceId(ALICE, 2);
      bob = deviceId(BOB, 1);
    });
    const append = (n: number, at: number) => store().mailboxes.append([mail(n, bob, [phone], { at })], ROOMY);
    const gap = async (now = NOW) => (await readAll(store(), phone, now)).gap;

    it('A21: what expires becomes a gap with count and range, until its last number is acknowledged', async () => {
      await people(store(), ALICE, 1);
      await store().mailboxes.append(
        [1, 2, 3].map((n) => mail(n, bob, [phone])),
        ROOMY,
      );
      await append(4, NOW + 10);
      expect(await store().mailboxes.expire(NOW, MANY)).toBe(0);
      expect(await store().mailboxes.expire(NOW + 1, MANY)).toBe(3);
      const lost = { count: 3, fromSeq: 1, toSeq: 3, reason: 'expired' };
      expect(await readAll(store(), phone)).toMatchObject({ mails: [{ seq: 4 }], gap: lost, settledSeq: 4 });
      expect(await store().mailboxes.usage(phone)).toEqual({ messages: 1, bytes: 10 });
      await store().mailboxes.acknowledge([upTo(phone, 2)]);
      expect(await gap()).toEqual(lost);
      await store().mailboxes.acknowledge([upTo(phone, 3)]);
      expect(await gap()).toBeUndefined();
    });

    it('a superseded session does not acknowledge a gap', async () => {
      await people(store(), ALICE, 1);
      await append(1, NOW);
      await store().mailboxes.expire(NOW + 1, MANY);
      await store().mailboxes.claimSession(phone, 1);
      await store().mailboxes.acknowledge([upTo(phone, 1)]);
      expect(await gap()).toBeDefined();
    });

    it('several become one: counts add, the range spans all, what was trimmed is told as trimmed', async () => {
      await people(store(), ALICE, 1);
      await append(1, NOW);
      await append(2, NOW + 100);
      await append(3, NOW);
      await append(4, NOW + 200);
      expect(await store().mailboxes.expire(NOW + 1, MANY)).toBe(2);
      expect(await gap()).toEqual({ count: 2, fromSeq: 1, toSeq: 3, reason: 'expired' });
      const tight = { ...ROOMY, messages: 2, whenFull: 'trim' as const };
      await store().mailboxes.append([mail(5, bob, [phone])], tight);
      expect(await gap()).toEqual({ count: 3, fromSeq: 1, toSeq: 3, reason: 'trimmed' });
      expect(await store().mailboxes.expire(NOW + 201, MANY)).toBe(2);
      expect(await gap()).toEqual({ count: 5, fromSeq: 1, toSeq: 5, reason: 'trimmed' });
    });

    it('a gap that a read tells of before the sweep is not counted twice after it', async () => {
      await people(store(), ALICE, 1);
      await append(1, NOW);
      await append(2, NOW);
      const told = await gap(NOW + LIFE_MS + 1);
      await store().mailboxes.expire(NOW + 1, MANY);
      expect(await gap()).toEqual(told);
      expect(told).toEqual({ count: 2, fromSeq: 1, toSeq: 2, reason: 'expired' });
    });

    it('what is acknowledged does not expire', async () => {
      await people(store(), ALICE, 1);
      await store().mailboxes.append(
        [1, 2, 3, 4].map((n) => mail(n, bob, [phone])),
        ROOMY,
      );
      await store().mailboxes.acknowledge([upTo(phone, 2)]);
      expect(await store().mailboxes.expire(NOW + 1, MANY)).toBe(2);
      expect(await gap()).toEqual({ count: 2, fromSeq: 3, toSeq: 4, reason: 'expired' });
      expect(await store().mailboxes.usage(phone)).toEqual({ messages: 0, bytes: 0 });
    });

    it('expires at most as many mailboxes as it was told to, until nothing is left', async () => {
      await people(store(), ALICE, 5);
      const devices = [1, 2, 3, 4, 5].map((n) => deviceId(ALICE, n));
      await store().mailboxes.append([mail(1, bob, devices), mail(2, bob, devices)], ROOMY);
      const counts: number[] = [];
      for (let count = -1; count !== 0; counts.push(count)) count = await store().mailboxes.expire(NOW + 1, 2);
      expect(counts).toEqual([4, 4, 2, 0]);
      for (const device of devices) expect((await readAll(store(), device)).gap?.count).toBe(2);
    });

    it('expires in every mailbox, out of the middle too, and numbers go on', async () => {
      await people(store(), ALICE, 2);
      const ages = [NOW, NOW + 50, NOW, NOW + 50];
      await store().mailboxes.append(
        ages.map((at, i) => mail(i, bob, [phone, laptop], { at })),
        ROOMY,
      );
      expect(await store().mailboxes.expire(NOW + 1, MANY)).toBe(4);
      expect(await store().mailboxes.expire(NOW + 1, MANY)).toBe(0);
      for (const device of [phone, laptop])
        expect(await readAll(store(), device)).toMatchObject({
          mails: [{ seq: 2 }, { seq: 4 }],
          gap: { count: 2, fromSeq: 1, toSeq: 3 },
        });
      expect(await store().mailboxes.append([mail(9, bob, [phone])], ROOMY)).toEqual([accepted(5)]);
    });

    it('expires in a deep mailbox', async () => {
      await people(store(), ALICE, 1);
      for (let batch = 0; batch < 30; batch++)
        await store().mailboxes.append(
          [1, 2, 3].map((i) => mail(batch * 3 + i, bob, [phone], { at: NOW + batch })),
          ROOMY,
        );
      expect(await store().mailboxes.expire(NOW + 20, MANY)).toBe(60);
      expect(await gap()).toEqual({ count: 60, fromSeq: 1, toSeq: 60, reason: 'expired' });
      expect(await store().mailboxes.usage(phone)).toEqual({ messages: 30, bytes: 300 });
    });
  });
}
