/**
 * An account is unfinished until keys are registered for one of its devices, or a second manifest follows. Its name is free for
 * others once it has been that for a time; whatever finished it once keeps it for good.
 */
import { describe, expect, it } from '@jest/globals';
import {
  ALICE,
  account,
  BOB,
  bundle,
  bytes,
  device,
  deviceId,
  eachWithStore,
  expectError,
  listed,
  manifest,
  NOW,
  type OpenStore,
  oneTimeKeys,
  people,
  publicKey,
  secret,
} from './fixture.ts';

const DAY_MS = 86_400_000;

export function unfinishedContract(open: OpenStore): void {
  describe('an unfinished account', () => {
    const store = eachWithStore(open);
    const at = (now: number) => ({ now, afterMs: DAY_MS });
    /** By somebody else, with keys of their own, on device 9. */
    const claim = (now = NOW + DAY_MS) =>
      store().accounts.create(account(ALICE, 2), manifest(1, 2), [device(ALICE, 9)], undefined, at(now));
    const finish = () => store().prekeys.register(deviceId(ALICE, 1), 'c25519', bundle(1), oneTimeKeys(1));

    it('keeps its name for its time, and for ever where nobody says for how long', async () => {
      await people(store(), ALICE, 1);
      await expectError(claim(NOW + DAY_MS - 1), 'conflict');
      await expectError(store().accounts.create(account(ALICE, 2), manifest(1, 2), [device(ALICE, 9)]), 'conflict');
      expect(await store().accounts.find(ALICE)).toEqual(account(ALICE));
    });

    it('makes room after it: nothing is left of it, and its keys are free', async () => {
      await people(store(), ALICE, 2);
      await store().appPasswords.add(ALICE, { id: '1', name: 'one', createdAt: NOW, verifier: bytes(1) }, 9);
      expect(await claim()).toBe('created');
      expect(await claim()).toBe('exists');
      expect(await store().accounts.find(ALICE)).toEqual(account(ALICE, 2));
      expect(await store().manifests.history(ALICE, 0, 9)).toEqual([manifest(1, 2)]);
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 9)]);
      expect(await store().devices.find(deviceId(ALICE, 1))).toBeUndefined();
      expect(await store().appPasswords.list(ALICE)).toEqual([]);
      await expectError(finish(), 'not-found');
      const heir = { ...device(BOB, 1), loginKey: device(ALICE, 1).loginKey };
      const bob = { ...account(BOB), accountKey: publicKey('account', ALICE, 1) };
      expect(await store().accounts.create(bob, manifest(1), [heir])).toBe('created');
    });

    it('is found by whoever made it and comes back, as long as nobody else did', async () => {
      await people(store(), ALICE, 1);
      expect(
        await store().accounts.create(account(ALICE), manifest(1), [device(ALICE, 1)], undefined, at(NOW + 9 * DAY_MS)),
      ).toBe('exists');
      expect(await finish()).toBe('registered');
      await expectError(claim(NOW + 99 * DAY_MS), 'conflict');
    });

    it('makes room for its own account key with another first manifest, too', async () => {
      await people(store(), ALICE, 1);
      const again = { ...device(ALICE, 9), loginKey: device(ALICE, 1).loginKey };
      const create = store().accounts.create(account(ALICE), manifest(1, 7), [again], undefined, at(NOW + DAY_MS));
      expect(await create).toBe('created');
      expect(await listed(store(), ALICE)).toEqual([again]);
    });

    it('is not touched by a claim that is refused for another reason', async () => {
      await people(store(), ALICE, 1);
      const invited = { hash: secret(1), now: NOW + DAY_MS };
      const devices = [device(ALICE, 9)];
      await expectError(
        store().accounts.create(account(ALICE, 2), manifest(1, 2), devices, invited, at(NOW + DAY_MS)),
        'not-found',
      );
      await expectError(
        store().accounts.create(account(ALICE, 2), manifest(1, 2), [device(ALICE, 1)], undefined, at(NOW + DAY_MS)),
        'conflict',
      );
      await people(store(), BOB, 1);
      const thief = { ...device(ALICE, 9), loginKey: device(BOB, 1).loginKey };
      await expectError(
        store().accounts.create(account(ALICE, 2), manifest(1, 2), [thief], undefined, at(NOW + DAY_MS)),
        'conflict',
      );
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 1)]);
      expect(await finish()).toBe('registered');
    });

    it.each([
      ['keys of a device', () => finish()],
      [
        'keys that it took back since',
        async () => {
          await finish();
          await store().prekeys.delete(deviceId(ALICE, 1), 'c25519');
        },
      ],
      [
        'keys of a device that waits',
        () =>
          store().waiting.register(deviceId(ALICE, 5), 'c25519', bundle(5), oneTimeKeys(1), { maximum: 9, now: NOW }),
      ],
      [
        'a second manifest',
        () => store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 2)], NOW),
      ],
      ['its end: a deleted account is not given out again', () => store().accounts.delete(ALICE, NOW)],
    ])('T105: is finished by %s, and its name stays taken whatever the clock says', async (_, end) => {
      await people(store(), ALICE, 1);
      await end();
      const devices = await listed(store(), ALICE);
      for (const now of [NOW + DAY_MS, NOW + 1e12]) await expectError(claim(now), 'conflict');
      expect(await listed(store(), ALICE)).toEqual(devices);
    });

    it('T105: is claimed or finished, never both, whoever comes first', async () => {
      for (const first of ['claim', 'finish'] as const) {
        for (const n of [1, 2, 3]) {
          const address = n === 1 ? ALICE : (`sip:${first}${n}${ALICE.slice('sip:'.length)}` as typeof ALICE);
          if (first === 'finish' && n === 1) continue;
          await people(store(), address, 1);
          const finishes = () =>
            store().prekeys.register(deviceId(address, 1), 'c448', { ...bundle(n), ...keysOf(address, n) }, []);
          const claims = () =>
            store().accounts.create(
              account(address, 2),
              manifest(1, 2),
              [device(address, 9)],
              undefined,
              at(NOW + DAY_MS),
            );
          const calls = first === 'claim' ? [claims(), finishes()] : [finishes(), claims()];
          const [one, other] = await Promise.allSettled<unknown>(calls);
          expect([one?.status, other?.status].sort()).toEqual(['fulfilled', 'rejected']);
          const isClaimed = (await store().accounts.find(address))?.accountKey[31] === 2;
          expect(await listed(store(), address)).toEqual([device(address, isClaimed ? 9 : 1)]);
          expect((await store().prekeys.find('c448', [deviceId(address, 1)]))[0] === undefined).toBe(isClaimed);
        }
      }
    });

    it('made by a clock that was ahead, is counted from the first claim', async () => {
      const ahead = { ...account(ALICE), createdAt: NOW + 1e12 };
      await store().accounts.create(ahead, manifest(1), [device(ALICE, 1)]);
      await expectError(claim(NOW), 'conflict');
      await expectError(claim(NOW + DAY_MS - 1), 'conflict');
      expect(await claim(NOW + DAY_MS)).toBe('created');
    });
  });

  describe('whether there are accounts', () => {
    const store = eachWithStore(open);

    it('is known, of deleted ones too', async () => {
      await people(store(), ALICE, 1);
      expect(await store().accounts.areAny()).toBe(true);
      await store().accounts.delete(ALICE, NOW);
      expect(await store().accounts.areAny()).toBe(true);
    });
  });
}

function keysOf(owner: string, n: number) {
  return {
    identityKey: publicKey('identity', owner, n, 57),
    signedPrekey: { id: n, publicKey: publicKey('signed', owner, n, 56), signature: bytes(n, 114) },
  };
}
