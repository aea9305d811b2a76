import { describe, expect, it } from '@jest/globals';
import { ALICE, BOB, bytes, eachWithStore, expectError, NOW, type OpenStore, people } from './fixture.ts';

/** App password `n`: told apart by its number. */
function password(n: number) {
  return { id: `id${n}`, name: `phone ${n}`, createdAt: NOW + n, verifier: bytes(n, 60) };
}

const MANY = 20;

export function appPasswordsContract(open: OpenStore): void {
  describe('app passwords', () => {
    const store = eachWithStore(open);

    it('are listed oldest first, each with what was stored', async () => {
      await people(store(), ALICE, 1);
      await people(store(), BOB, 1);
      for (const n of [3, 1, 2]) await store().appPasswords.add(ALICE, password(n), MANY);
      await store().appPasswords.add(BOB, password(1), MANY);
      const held = [1, 2, 3].map((n) => ({ ...password(n), usedAt: undefined }));
      expect(await store().appPasswords.list(ALICE)).toEqual(held);
      expect(await store().appPasswords.list(BOB)).toEqual(held.slice(0, 1));
    });

    it('need an account', async () => {
      await expectError(store().appPasswords.add(ALICE, password(1), MANY), 'not-found');
      expect(await store().appPasswords.list(ALICE)).toEqual([]);
      expect(await store().appPasswords.remove(ALICE, 'id1')).toBe(false);
      await store().appPasswords.markUsed(ALICE, 'id1', NOW);
    });

    it('have an id and a name of their own within the account', async () => {
      await people(store(), ALICE, 1);
      await store().appPasswords.add(ALICE, password(1), MANY);
      await expectError(store().appPasswords.add(ALICE, { ...password(2), id: 'id1' }, MANY), 'conflict');
      await expectError(store().appPasswords.add(ALICE, { ...password(2), name: 'phone 1' }, MANY), 'conflict');
      expect(await store().appPasswords.list(ALICE)).toHaveLength(1);
    });

    it('are as many as the maximum, and not one more, also when they are made at the same time', async () => {
      await people(store(), ALICE, 1);
      const results = await Promise.allSettled(
        [1, 2, 3, 4].map((n) => store().appPasswords.add(ALICE, password(n), 3)),
      );
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
      await expectError(store().appPasswords.add(ALICE, password(5), 3), 'limit');
      const [one] = await store().appPasswords.list(ALICE);
      expect(await store().appPasswords.remove(ALICE, one!.id)).toBe(true);
      await store().appPasswords.add(ALICE, password(5), 3);
    });

    it('are removed once, and the others stay', async () => {
      await people(store(), ALICE, 1);
      for (const n of [1, 2]) await store().appPasswords.add(ALICE, password(n), MANY);
      expect(await store().appPasswords.remove(ALICE, 'id1')).toBe(true);
      expect(await store().appPasswords.remove(ALICE, 'id1')).toBe(false);
      expect((await store().appPasswords.list(ALICE)).map(({ id }) => id)).toEqual(['id2']);
    });

    it('know when they were used last', async () => {
      await people(store(), ALICE, 1);
      await store().appPasswords.add(ALICE, password(1), MANY);
      // Of a clock that was ahead, and is right again.
      for (const at of [NOW + 2, NOW + 1]) await store().appPasswords.markUsed(ALICE, 'id1', at);
      await store().appPasswords.markUsed(ALICE, 'id2', NOW);
      expect(await store().appPasswords.list(ALICE)).toEqual([{ ...password(1), usedAt: NOW + 1 }]);
    });

    it('I12: go with their account, and leave those of a longer address alone', async () => {
      const longer = `${ALICE}0` as typeof ALICE;
      await people(store(), ALICE, 1);
      await people(store(), longer, 1);
      for (const address of [ALICE, longer]) await store().appPasswords.add(address, password(1), MANY);
      await store().accounts.delete(ALICE, NOW);
      expect(await store().appPasswords.list(ALICE)).toEqual([]);
      await expectError(store().appPasswords.add(ALICE, password(2), MANY), 'not-found');
      await store().appPasswords.markUsed(ALICE, 'id1', NOW);
      expect(await store().appPasswords.list(ALICE)).toEqual([]);
      expect(await store().appPasswords.list(longer)).toHaveLength(1);
    });

    it('copies what comes in and hands out copies', async () => {
      await people(store(), ALICE, 1);
      const mine = password(1);
      const added = store().appPasswords.add(ALICE, mine, MANY);
      mine.verifier.fill(255);
      await added;
      (await store().appPasswords.list(ALICE))[0]?.verifier.fill(254);
      expect((await store().appPasswords.list(ALICE))[0]?.verifier).toEqual(password(1).verifier);
    });
  });
}
