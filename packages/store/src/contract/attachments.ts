import { describe, expect, it } from '@jest/globals';
import { type AccountAddress } from '@sealwire/wire/ids';
import type { Store } from '../port.ts';
import {
  ALICE,
  account,
  BOB,
  device,
  eachWithStore,
  expectError,
  manifest,
  NOW,
  type OpenStore,
  people,
} from './fixture.ts';

const ROOM = { attachments: 9, bytes: 10_000 };
const DAY_MS = 86_400_000;

/** Attachment `n`, of `n` thousand bytes, which ends `n` later than now. */
function attachment(n: number) {
  return { id: `id${n}`, bytes: 1_000 * n, handle: `upload ${n}`, expiresAt: NOW + n };
}

/** Of these two, in the order of their ids. */
async function expiredOf(store: Store, addresses: readonly AccountAddress[], now: number) {
  const all = await store.attachments.expired(now, 1_000);
  return all
    .filter(({ address }) => addresses.includes(address))
    .map(({ attachment: { id } }) => id)
    .sort();
}

export function attachmentsContract(open: OpenStore): void {
  describe('attachments', () => {
    const store = eachWithStore(open);

    it('are found by their account and id, and by nobody else', async () => {
      for (const address of [ALICE, BOB]) await people(store(), address, 1);
      await store().attachments.add(ALICE, attachment(1), ROOM);
      expect(await store().attachments.find(ALICE, 'id1')).toEqual({ ...attachment(1), isComplete: false });
      expect(await store().attachments.find(BOB, 'id1')).toBeUndefined();
      expect(await store().attachments.complete(BOB, 'id1', NOW)).toBeUndefined();
      expect(await store().attachments.remove(BOB, 'id1')).toBe(false);
      expect(await store().attachments.find(ALICE, 'id2')).toBeUndefined();
    });

    it('need an account', async () => {
      await expectError(store().attachments.add(ALICE, attachment(1), ROOM), 'not-found');
      expect(await store().attachments.usage(ALICE)).toEqual({ attachments: 0, bytes: 0 });
    });

    it('are added once: the same again changes nothing, and another one of that id is a conflict', async () => {
      await people(store(), ALICE, 1);
      for (let i = 0; i < 2; i++) await store().attachments.add(ALICE, attachment(1), ROOM);
      await expectError(store().attachments.add(ALICE, { ...attachment(1), handle: 'other' }, ROOM), 'conflict');
      expect(await store().attachments.usage(ALICE)).toEqual({ attachments: 1, bytes: 1_000 });
    });

    it('are within their room in bytes and in number, also when they are made at the same time', async () => {
      await people(store(), ALICE, 1);
      const add = (n: number, room = ROOM) => store().attachments.add(ALICE, { ...attachment(n), bytes: 3_000 }, room);
      const results = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => add(n)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      expect(await store().attachments.usage(ALICE)).toEqual({ attachments: 3, bytes: 9_000 });
      await expectError(add(6), 'limit');
      await expectError(add(6, { attachments: 3, bytes: 99_000 }), 'limit');
      await add(6, { attachments: 4, bytes: 12_000 });
    });

    it('make room when they are removed, once', async () => {
      await people(store(), ALICE, 1);
      await store().attachments.add(ALICE, attachment(6), ROOM);
      await expectError(store().attachments.add(ALICE, attachment(5), ROOM), 'limit');
      const removed = await Promise.all([1, 2].map(() => store().attachments.remove(ALICE, 'id6')));
      expect(removed.sort()).toEqual([false, true]);
      expect(await store().attachments.usage(ALICE)).toEqual({ attachments: 0, bytes: 0 });
      await store().attachments.add(ALICE, attachment(5), ROOM);
    });

    it('are complete once, until a time that a repeat does not move', async () => {
      await people(store(), ALICE, 1);
      await store().attachments.add(ALICE, attachment(1), ROOM);
      const complete = { ...attachment(1), isComplete: true, expiresAt: NOW + DAY_MS };
      expect(await store().attachments.complete(ALICE, 'id1', NOW + DAY_MS)).toEqual(complete);
      expect(await store().attachments.complete(ALICE, 'id1', NOW + 2 * DAY_MS)).toEqual(complete);
      expect(await store().attachments.find(ALICE, 'id1')).toEqual(complete);
      expect(await expiredOf(store(), [ALICE], NOW + 5)).toEqual([]);
      expect(await expiredOf(store(), [ALICE], NOW + DAY_MS)).toEqual(['id1']);
    });

    it('expire at their time, and count until they are removed', async () => {
      for (const address of [ALICE, BOB]) await people(store(), address, 1);
      for (const n of [1, 2, 3]) await store().attachments.add(ALICE, attachment(n), ROOM);
      await store().attachments.add(BOB, attachment(4), ROOM);
      expect(await expiredOf(store(), [ALICE, BOB], NOW)).toEqual([]);
      expect(await expiredOf(store(), [ALICE, BOB], NOW + 2)).toEqual(['id1', 'id2']);
      expect(await expiredOf(store(), [ALICE, BOB], NOW + 9)).toEqual(['id1', 'id2', 'id3', 'id4']);
      expect(await store().attachments.expired(NOW + 9, 1)).toHaveLength(1);
      expect(await store().attachments.usage(ALICE)).toEqual({ attachments: 3, bytes: 6_000 });
      await store().attachments.remove(ALICE, 'id1');
      expect(await expiredOf(store(), [ALICE, BOB], NOW + 2)).toEqual(['id2']);
    });

    it('I12: expire with their account, and leave those of a longer address alone', async () => {
      const longer = `${ALICE}0` as typeof ALICE;
      for (const address of [ALICE, longer]) {
        await people(store(), address, 1);
        await store().attachments.add(address, attachment(1), ROOM);
      }
      await store().accounts.delete(ALICE, NOW);
      expect(await expiredOf(store(), [ALICE, longer], NOW)).toEqual(['id1']);
      expect(await store().attachments.find(ALICE, 'id1')).toBeUndefined();
      expect(await store().attachments.complete(ALICE, 'id1', NOW + DAY_MS)).toBeUndefined();
      expect(await store().attachments.find(longer, 'id1')).toBeDefined();
      expect(await store().attachments.remove(ALICE, 'id1')).toBe(true);
    });

    it('of an account that nobody finished are not its heir’s', async () => {
      await people(store(), ALICE, 1);
      await store().attachments.add(ALICE, attachment(1), ROOM);
      const late = { now: NOW + DAY_MS, afterMs: DAY_MS };
      const heir = [account(ALICE, 2), manifest(1, 2), [device(ALICE, 9)]] as const;
      expect(await store().accounts.create(...heir, undefined, late)).toBe('created');
      expect(await store().attachments.find(ALICE, 'id1')).toBeUndefined();
      await store().attachments.add(ALICE, attachment(2), ROOM);
      expect(await expiredOf(store(), [ALICE], NOW)).toEqual(['id1']);
    });
  });
}
