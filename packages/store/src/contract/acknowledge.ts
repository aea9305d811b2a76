import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  ALICE,
  appendAll,
  BOB,
  deviceId,
  eachWithStore,
  mail,
  type OpenStore,
  people,
  ROOMY,
  seqsIn,
  upTo,
} from './fixture.ts';

export function acknowledgeContract(open: OpenStore): void {
  describe('acknowledge', () => {
    let phone: DeviceId;
    let laptop: DeviceId;
    let bob: DeviceId;
    const store = eachWithStore(open, () => {
      phone = deviceId(ALICE, 1);
      laptop = deviceId(ALICE, 2);
      bob = deviceId(BOB, 1);
    });
    const burst = (from: number, to: number) =>
      store().mailboxes.append(
        Array.from({ length: to - from + 1 }, (_, i) => mail(from + i, bob, [phone])),
        ROOMY,
      );

    it('forgets all up to a number, of bursts and of single messages', async () => {
      await people(store(), ALICE, 1);
      await burst(1, 5);
      await appendAll(store(), 6, 7, bob, phone);
      await burst(8, 12);
      for (const [number, left] of [
        [0, 12],
        [1, 11],
        [3, 9],
        [5, 7],
        [6, 6],
        [9, 3],
        [4, 3],
        [12, 0],
      ] as const) {
        expect(await store().mailboxes.acknowledge([upTo(phone, number)])).toEqual(['done']);
        expect(await store().mailboxes.usage(phone)).toEqual({ messages: left, bytes: left * 10 });
        expect(await seqsIn(store(), phone)).toEqual(Array.from({ length: left }, (_, i) => 13 - left + i));
      }
    });

    it('A06: does nothing for what is acknowledged already', async () => {
      await people(store(), ALICE, 1);
      await burst(1, 3);
      for (let time = 0; time < 2; time++) {
        expect(await store().mailboxes.acknowledge([upTo(phone, 2)])).toEqual(['done']);
        expect(await store().mailboxes.acknowledge([upTo(phone, 1), upTo(phone, 0)])).toEqual(['done', 'done']);
        expect(await seqsIn(store(), phone)).toEqual([3]);
      }
    });

    it('A09: a number beyond what exists deletes only what exists: later messages are not acknowledged by it', async () => {
      await people(store(), ALICE, 1);
      await burst(1, 2);
      expect(await store().mailboxes.acknowledge([upTo(phone, 1_000_000)])).toEqual(['done']);
      await burst(3, 5);
      expect(await seqsIn(store(), phone)).toEqual([3, 4, 5]);
    });

    it('acknowledges a batch of entries, one answer each', async () => {
      await people(store(), ALICE, 2);
      await store().mailboxes.append(
        [1, 2].map((n) => mail(n, bob, [phone, laptop])),
        ROOMY,
      );
      expect(
        await store().mailboxes.acknowledge([upTo(phone, 1), upTo(bob, 1), upTo(laptop, 1), upTo(phone, 2)]),
      ).toEqual(['done', 'superseded', 'done', 'done']);
      expect(await seqsIn(store(), phone)).toEqual([]);
      expect(await seqsIn(store(), laptop)).toEqual([2]);
      expect(await store().mailboxes.acknowledge([])).toEqual([]);
    });

    it('beside appends, in the same turn, keeps numbers and counts right', async () => {
      await people(store(), ALICE, 1);
      for (let n = 1; n <= 40; n += 2)
        await Promise.all([burst(n, n + 1), store().mailboxes.acknowledge([upTo(phone, n - 2)])]);
      expect(await seqsIn(store(), phone)).toEqual([38, 39, 40]);
      expect(await store().mailboxes.usage(phone)).toEqual({ messages: 3, bytes: 30 });
    });
  });

  describe('sessions', () => {
    let phone: DeviceId;
    let bob: DeviceId;
    const store = eachWithStore(open, () => {
      phone = deviceId(ALICE, 1);
      bob = deviceId(BOB, 1);
    });
    const acknowledge = (session: number) => store().mailboxes.acknowledge([{ device: phone, session, upTo: 1 }]);

    it('are claimed by the newest, and again by the same', async () => {
      await people(store(), ALICE, 1);
      expect(await store().mailboxes.claimSession(phone, 5)).toBe(5);
      expect(await store().mailboxes.claimSession(phone, 5)).toBe(5);
      expect(await store().mailboxes.claimSession(phone, 4)).toBe(5);
      expect(await store().mailboxes.claimSession(phone, 2 ** 52)).toBe(2 ** 52);
      expect(await store().mailboxes.claimSession(phone, 6)).toBe(2 ** 52);
    });

    it('cannot acknowledge once a newer one has been claimed: nothing changes', async () => {
      await people(store(), ALICE, 1);
      await appendAll(store(), 1, 1, bob, phone);
      await store().mailboxes.claimSession(phone, 5);
      expect(await acknowledge(4)).toEqual(['superseded']);
      expect(await seqsIn(store(), phone)).toEqual([1]);
      expect(await acknowledge(5)).toEqual(['done']);
      expect(await seqsIn(store(), phone)).toEqual([]);
    });

    it('that are newer than the claimed one may acknowledge', async () => {
      await people(store(), ALICE, 1);
      await appendAll(store(), 1, 1, bob, phone);
      await store().mailboxes.claimSession(phone, 5);
      expect(await acknowledge(6)).toEqual(['done']);
    });

    it('are judged in their order', async () => {
      await people(store(), ALICE, 1);
      await appendAll(store(), 1, 1, bob, phone);
      expect(await acknowledge(0)).toEqual(['done']);
      expect(await store().mailboxes.claimSession(phone, 2)).toBe(2);
      expect(await acknowledge(1)).toEqual(['superseded']);
    });

    it('of a device that does not exist are superseded', async () => {
      expect(await store().mailboxes.claimSession(phone, 1)).toBeUndefined();
      expect(await acknowledge(1)).toEqual(['superseded']);
    });
  });
}
