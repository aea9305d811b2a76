import { describe, expect, it } from '@jest/globals';
import {
  ALICE,
  account,
  BOB,
  bundle,
  device,
  deviceId,
  eachWithStore,
  expectError,
  LIFE_MS,
  listed,
  mail,
  manifest,
  NOW,
  type OpenStore,
  oneTimeKeys,
  people,
  ROOMY,
  upTo,
} from './fixture.ts';

export function devicesContract(open: OpenStore): void {
  describe('devices', () => {
    const store = eachWithStore(open);

    it('are found by id, and listed oldest first', async () => {
      const late = { ...device(ALICE, 1), addedAt: NOW + 500 };
      await store().accounts.create(account(ALICE), manifest(1), [late, device(ALICE, 3), device(ALICE, 2)]);
      expect(await store().devices.find(late.id)).toEqual(late);
      expect(await store().devices.find(deviceId(ALICE, 9))).toBeUndefined();
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 2), device(ALICE, 3), late]);
      expect(await listed(store(), BOB)).toEqual([]);
    });

    it('are listed for many accounts at once, in their order', async () => {
      await people(store(), ALICE, 2);
      await people(store(), BOB, 1);
      const nobody = `${BOB}x` as typeof BOB;
      expect(await store().devices.list([BOB, nobody, ALICE, BOB])).toEqual([
        [device(BOB, 1)],
        [],
        [device(ALICE, 1), device(ALICE, 2)],
        [device(BOB, 1)],
      ]);
      expect(await store().devices.list([])).toEqual([]);
    });

    it('lose login, prekeys on both curves and mailbox when they are removed', async () => {
      const [phone, laptop] = await people(store(), ALICE, 2);
      await store().prekeys.register(phone!, 'c25519', bundle(1), oneTimeKeys(1, 2));
      await store().prekeys.register(phone!, 'c448', bundle(2), oneTimeKeys(1));
      await store().mailboxes.append([mail(1, laptop!, [phone!])], ROOMY);
      await store().devices.remove(phone!, NOW);
      expect(await store().devices.find(phone!)).toBeUndefined();
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 2)]);
      for (const suite of ['c25519', 'c448'] as const) {
        expect(await store().prekeys.find(suite, [phone!])).toEqual([undefined]);
        await expectError(
          store().prekeys.addOneTime(phone!, suite, oneTimeKeys(9), { maximum: 100, now: NOW }),
          'not-found',
        );
        await expectError(store().prekeys.register(phone!, suite, bundle(1), []), 'not-found');
      }
      expect(
        await store().mailboxes.read(phone!, { after: 0, messages: 10, bytes: 1_000, horizon: NOW - LIFE_MS }),
      ).toEqual({
        mails: [],
        end: true,
        settledSeq: 0,
      });
      expect(await store().mailboxes.claimSession(phone!, 9)).toBeUndefined();
      expect(await store().mailboxes.acknowledge([upTo(phone!, 1)])).toEqual(['superseded']);
    });

    it('leave those with a longer id of the same beginning alone', async () => {
      const short = device(ALICE, 1);
      const long = { ...device(ALICE, 2), id: `${short.id}0` as typeof short.id };
      await store().accounts.create(account(ALICE), manifest(1), [short, long]);
      await store().prekeys.register(long.id, 'c25519', bundle(1), oneTimeKeys(1));
      await store().mailboxes.append([mail(1, short.id, [short.id, long.id])], ROOMY);
      await store().devices.remove(short.id, NOW);
      expect(await store().mailboxes.usage(long.id)).toEqual({ messages: 1, bytes: 10 });
      expect(await store().prekeys.listOneTime(long.id, 'c25519')).toEqual([1]);
    });

    it('may be removed again, or without ever having been', async () => {
      await people(store(), ALICE, 1);
      await store().devices.remove(deviceId(ALICE, 1), NOW);
      await store().devices.remove(deviceId(ALICE, 1), NOW);
      await store().devices.remove(deviceId(BOB, 1), NOW);
      expect(await listed(store(), ALICE)).toEqual([]);
      expect(await store().accounts.create(account(BOB), manifest(1), [device(BOB, 1)])).toBe('created');
    });

    it('C06: are seen as removed by whoever asks after the removal', async () => {
      const [phone] = await people(store(), ALICE, 1);
      expect(await store().devices.find(phone!)).toBeDefined();
      await store().devices.remove(phone!, NOW);
      expect(await store().devices.find(phone!)).toBeUndefined();
    });

    it('are removed in the middle of the writes to their mailbox without a trace', async () => {
      const [phone, laptop] = await people(store(), ALICE, 2);
      const [before, , beside] = await Promise.all([
        store().mailboxes.append([mail(1, laptop!, [phone!])], ROOMY),
        store().devices.remove(phone!, NOW),
        store().mailboxes.append([mail(2, laptop!, [phone!])], ROOMY),
      ]);
      for (const [result] of [before, beside]) expect(['accepted', 'unknown']).toContain(result?.status);
      expect(await store().mailboxes.append([mail(3, laptop!, [phone!])], ROOMY)).toEqual([
        { status: 'unknown', devices: [phone] },
      ]);
      expect(await store().mailboxes.usage(phone!)).toEqual({ messages: 0, bytes: 0 });
    });
  });
}
