import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import {
  ALICE,
  BOB,
  bundle,
  bytes,
  deviceId,
  eachWithStore,
  expectError,
  NOW,
  type OpenStore,
  oneTimeKeys,
  people,
} from './fixture.ts';

const CURVE = 'c25519';

export function prekeysContract(open: OpenStore): void {
  describe('prekeys', () => {
    let phone: DeviceId;
    const store = eachWithStore(open, () => {
      phone = deviceId(ALICE, 1);
    });
    const take = (...devices: readonly DeviceId[]) => store().prekeys.claim(CURVE, devices, NOW);
    /** Ids of the one-time keys that so many claims of the phone's get. */
    const takenIds = async (claims: number) =>
      (await take(...Array.from({ length: claims }, () => phone))).map((claimed) => claimed?.oneTimePrekey?.id);

    it('are registered once; the same again is the same, and its one-time keys are ignored', async () => {
      await people(store(), ALICE, 1);
      expect(await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(5, 6))).toBe('registered');
      expect(await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(7))).toBe('same');
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([5, 6]);
    });

    it('conflict with anything different for a known device and curve', async () => {
      await people(store(), ALICE, 1);
      const known = bundle(1);
      await store().prekeys.register(phone, CURVE, known, []);
      const others = [
        { ...known, identityKey: bytes(9) },
        { ...known, signedPrekey: { ...known.signedPrekey, id: 9 } },
        { ...known, signedPrekey: { ...known.signedPrekey, publicKey: bytes(9) } },
        { ...known, signedPrekey: { ...known.signedPrekey, signature: bytes(9, 64) } },
      ];
      for (const other of others) await expectError(store().prekeys.register(phone, CURVE, other, []), 'conflict');
      expect(await take(phone)).toEqual([known]);
    });

    it('need a device that exists', async () => {
      await expectError(store().prekeys.register(phone, CURVE, bundle(1), []), 'not-found');
      await people(store(), ALICE, 1);
      await expectError(store().prekeys.replaceSignedPrekey(phone, CURVE, bundle(1).signedPrekey), 'not-found');
      await expectError(
        store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(1), { maximum: 10, now: NOW }),
        'not-found',
      );
      await expectError(store().prekeys.listOneTime(phone, CURVE), 'not-found');
      expect(await take(phone)).toEqual([undefined]);
    });

    it('have a name space for each device and curve', async () => {
      const [, laptop] = await people(store(), ALICE, 2);
      await store().prekeys.register(phone, 'c25519', bundle(1), oneTimeKeys(1, 2));
      await store().prekeys.register(phone, 'c448', bundle(2), oneTimeKeys(2, 3));
      await store().prekeys.register(laptop!, 'c25519', bundle(3), oneTimeKeys(1));
      expect(await store().prekeys.listOneTime(phone, 'c25519')).toEqual([1, 2]);
      expect(await store().prekeys.listOneTime(phone, 'c448')).toEqual([2, 3]);
      await store().prekeys.delete(phone, 'c25519');
      await expectError(store().prekeys.listOneTime(phone, 'c25519'), 'not-found');
      expect(await store().prekeys.listOneTime(phone, 'c448')).toEqual([2, 3]);
      expect(await store().prekeys.listOneTime(laptop!, 'c25519')).toEqual([1]);
    });

    it('get a new signed prekey, and keep their one-time keys', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(4));
      await store().prekeys.replaceSignedPrekey(phone, CURVE, bundle(2).signedPrekey);
      const [claimed] = await take(phone);
      expect(claimed).toEqual({
        identityKey: bundle(1).identityKey,
        signedPrekey: bundle(2).signedPrekey,
        oneTimePrekey: oneTimeKeys(4)[0],
      });
      await expectError(store().prekeys.register(phone, CURVE, bundle(1), []), 'conflict');
    });

    it('are claimed oldest first, whatever their ids, and then without a one-time key', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(900, 3));
      await store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(0, 0xffffffff), { maximum: 10, now: NOW });
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([900, 3, 0, 0xffffffff]);
      expect(await takenIds(5)).toEqual([900, 3, 0, 0xffffffff, undefined]);
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([]);
      expect(await take(phone)).toEqual([bundle(1)]);
    });

    it('give each entry its bundle, in order, and two keys to a device that is named twice', async () => {
      await people(store(), ALICE, 2);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1, 2));
      await store().prekeys.register(deviceId(ALICE, 2), CURVE, bundle(2), oneTimeKeys(9));
      const claimed = await take(phone, deviceId(BOB, 1), deviceId(ALICE, 2), phone);
      expect(claimed.map((one) => one?.oneTimePrekey?.id)).toEqual([1, undefined, 9, 2]);
      expect(claimed.map((one) => one?.signedPrekey.id)).toEqual([1, undefined, 2, 1]);
    });

    it('are found without taking a one-time key', async () => {
      await people(store(), ALICE, 2);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1));
      expect(await store().prekeys.find(CURVE, [phone, deviceId(ALICE, 2), phone])).toEqual([
        bundle(1),
        undefined,
        bundle(1),
      ]);
      expect(await takenIds(1)).toEqual([1]);
    });

    it('D02: a key that was claimed is not given again, though the answer may have been lost', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1, 2));
      await take(phone);
      expect(await takenIds(2)).toEqual([2, undefined]);
    });

    it('D03: an upload repeated after a lost answer makes no duplicates', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1));
      await store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(2, 3), { maximum: 3, now: NOW });
      await store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(2, 3), { maximum: 3, now: NOW });
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([1, 2, 3]);
    });

    it('D03: a repeated upload does not bring back a key that was claimed meanwhile, nor does a new registration', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1, 2));
      await take(phone);
      await store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(1, 2, 3), { maximum: 100, now: NOW });
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([2, 3]);
      await store().prekeys.delete(phone, CURVE);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1, 2));
      expect(await takenIds(2)).toEqual([2, undefined]);
    });

    it('D03: ids that were handed out are remembered for their time', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1, 2));
      await take(phone);
      const late = { maximum: 100, now: NOW + LIMITS.claimedPrekeyMemoryMs.value };
      await store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(1), late);
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([2]);
    });

    it('D04: the same key id with other bytes conflicts: held, claimed, or in one upload; nothing is stored', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1, 2));
      await take(phone);
      const other = (id: number) => ({ id, publicKey: bytes(250) });
      for (const keys of [
        [...oneTimeKeys(7), other(2)],
        [...oneTimeKeys(7), other(1)],
        [...oneTimeKeys(7), other(7)],
      ])
        await expectError(store().prekeys.addOneTime(phone, CURVE, keys, { maximum: 100, now: NOW }), 'conflict');
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([2]);
    });

    it('D05: an upload beside claims leaves the pool usable: all its keys or none of them, and never fewer because of it', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1, 2, 3));
      const terms = { maximum: 100, now: NOW };
      const other = [...oneTimeKeys(6), { id: 4, publicKey: bytes(1) }];
      const [, first, second] = await Promise.allSettled([
        take(phone),
        store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(4, 5), terms),
        store().prekeys.addOneTime(phone, CURVE, other, terms),
      ]);
      // Whichever came first, the other one has the same id with other bytes.
      expect([first.status, second.status].sort()).toEqual(['fulfilled', 'rejected']);
      const added = first.status === 'fulfilled' ? [4, 5] : [6, 4];
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([2, 3, ...added]);
    });

    it('D11: hold the maximum, and not one more: all or none of an upload', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1, 2));
      await expectError(store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(3, 4), { maximum: 3, now: NOW }), 'limit');
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([1, 2]);
      await store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(3), { maximum: 3, now: NOW });
      await expectError(store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(4), { maximum: 3, now: NOW }), 'limit');
      await take(phone);
      await store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(4), { maximum: 3, now: NOW });
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([2, 3, 4]);
    });

    it('200 parallel claims on 100 keys get 100 different keys, and 100 get none', async () => {
      await people(store(), ALICE, 1);
      const ids = Array.from({ length: 100 }, (_, i) => i + 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(...ids));
      const claims = (await Promise.all(Array.from({ length: 200 }, () => take(phone)))).flat();
      const taken = claims.map((claimed) => claimed?.oneTimePrekey?.id).filter((id) => id !== undefined);
      expect(taken.sort((a, b) => a - b)).toEqual(ids);
      expect(claims.every((claimed) => claimed?.signedPrekey.id === 1)).toBe(true);
    });

    it('D21: are all there or all gone for a claim beside the removal of the device', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1, 2));
      const claims = await Promise.all([take(phone), store().devices.remove(phone, NOW), take(phone)]);
      const [before, beside] = [claims[0][0], claims[2][0]];
      for (const claimed of [before, beside]) if (claimed) expect(claimed).toMatchObject(bundle(1));
      if (before?.oneTimePrekey) expect(beside?.oneTimePrekey?.id).not.toBe(before.oneTimePrekey.id);
      expect(await take(phone)).toEqual([undefined]);
    });

    it('may be deleted again, and registered with other keys', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), oneTimeKeys(1));
      await store().prekeys.delete(phone, CURVE);
      await store().prekeys.delete(phone, CURVE);
      expect(await take(phone)).toEqual([undefined]);
      expect(await store().prekeys.register(phone, CURVE, bundle(2), oneTimeKeys(8))).toBe('registered');
      expect(await takenIds(2)).toEqual([8, undefined]);
    });

    it('are copied on the way in and on the way out', async () => {
      await people(store(), ALICE, 1);
      const mine = bundle(1);
      const keys = oneTimeKeys(1);
      const registered = store().prekeys.register(phone, CURVE, mine, keys);
      for (const array of [
        mine.identityKey,
        mine.signedPrekey.publicKey,
        mine.signedPrekey.signature,
        keys[0]!.publicKey,
      ])
        array.fill(255);
      await registered;
      const [first] = await store().prekeys.find(CURVE, [phone]);
      first?.identityKey.fill(254);
      expect(await take(phone)).toEqual([{ ...bundle(1), oneTimePrekey: oneTimeKeys(1)[0] }]);
    });
  });
}
