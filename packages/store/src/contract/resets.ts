/** An account whose key is replaced, because its owner has lost every device and the recovery key (docs/spec/recovery.md section 3). */
import { describe, expect, it } from '@jest/globals';
import type { Store } from '../port.ts';
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
  LIFE_MS,
  listed,
  mail,
  manifest,
  NOW,
  type OpenStore,
  oneTimeKeys,
  people,
  ROOMY,
  secret,
} from './fixture.ts';

export function resetsContract(open: OpenStore): void {
  describe('accounts that are reset', () => {
    let code: Uint8Array;
    const store = eachWithStore(open, () => {
      code = secret(8);
    });
    const reset = (
      terms: Partial<{ key: number; content: number; device: number; from: number; now: number }> = {},
    ) => {
      const { key = 2, content = 2, device: number = 9, from = 1, now = NOW } = terms;
      return store().accounts.reset(account(ALICE, key), manifest(1, content), [device(ALICE, number)], {
        from: account(ALICE, from).accountKey,
        code: { hash: code, now },
      });
    };
    const addCode = (uses = 1) => store().accounts.addInvitation(code, uses, NOW + 1);

    it('have another key, its first manifest and its devices', async () => {
      await people(store(), ALICE, 2);
      await store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 2)], NOW);
      await addCode();
      expect(await reset()).toBe('reset');
      expect(await store().accounts.find(ALICE)).toEqual(account(ALICE, 2));
      expect(await store().manifests.newest(ALICE)).toEqual(manifest(1, 2));
      expect(await store().manifests.history(ALICE, 0, 10)).toEqual([manifest(1, 2)]);
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 9)]);
    });

    it('have a history of their own from then on, also where it is shorter than the one before', async () => {
      await people(store(), ALICE, 1);
      for (const version of [2, 3, 4])
        await store().manifests.publish(ALICE, manifest(version), [device(ALICE, 1)], NOW);
      await addCode();
      await reset();
      const later = manifest(2, 7);
      await store().manifests.publish(ALICE, later, [device(ALICE, 9)], NOW);
      expect(await store().manifests.history(ALICE, 0, 10)).toEqual([manifest(1, 2), later]);
      // What the key before signed is no repeat.
      await expectError(store().manifests.publish(ALICE, manifest(4), [device(ALICE, 9)], NOW), 'conflict');
      await store().manifests.publish(ALICE, manifest(3, 7), [device(ALICE, 9)], NOW);
      expect(await store().manifests.history(ALICE, 0, 10)).toEqual([manifest(1, 2), later, manifest(3, 7)]);
    });

    it('have nothing of their devices any more: login, keys, mail, passwords, contacts, those that waited; and files stay', async () => {
      const [phone] = await people(store(), ALICE, 2);
      await store().prekeys.register(phone!, 'c25519', bundle(1), oneTimeKeys(1));
      await store().mailboxes.append([mail(1, deviceId(BOB, 1), [phone!])], ROOMY);
      await store().appPasswords.add(ALICE, { id: '1', name: 'one', createdAt: NOW, verifier: bytes(1) }, 9);
      const waiting = deviceId(ALICE, 5);
      await store().waiting.register(waiting, 'c25519', bundle(5), [], { maximum: 9, now: NOW });
      await store().accountRecords.replace(ALICE, 'contact-list', 0, { version: 1, bytes: bytes(1) });
      const room = { attachments: 1, bytes: 9 };
      await store().attachments.add(ALICE, { id: '1', bytes: 9, handle: '', expiresAt: NOW + LIFE_MS }, room);
      await addCode();
      await reset();
      expect(await store().devices.find(phone!)).toBeUndefined();
      expect(await store().prekeys.find('c25519', [phone!, waiting])).toEqual([undefined, undefined]);
      expect(await store().mailboxes.usage(phone!)).toEqual({ messages: 0, bytes: 0 });
      expect((await store().mailboxes.append([mail(2, deviceId(BOB, 1), [phone!])], ROOMY))[0]?.status).toBe('unknown');
      expect(await store().appPasswords.list(ALICE)).toEqual([]);
      expect(await store().waiting.list(ALICE)).toEqual([]);
      expect(await store().accountRecords.read([ALICE], 'contact-list')).toEqual([undefined]);
      expect(await store().attachments.find(ALICE, '1')).toMatchObject({ bytes: 9 });
      // Their keys are free, their ids are not.
      const heir = { ...device(BOB, 1), loginKey: device(ALICE, 2).loginKey };
      expect(await store().accounts.create(account(BOB, 1), manifest(1), [heir])).toBe('created');
      const back = [device(ALICE, 9), device(ALICE, 1)];
      await expectError(store().manifests.publish(ALICE, manifest(2, 7), back, NOW), 'conflict');
      await expectError(
        store().waiting.register(waiting, 'c25519', bundle(5), [], { maximum: 9, now: NOW }),
        'conflict',
      );
    });

    it('say exists to the same call again, which uses the code no further, also after a later manifest', async () => {
      await people(store(), ALICE, 1);
      await addCode(2);
      await reset();
      expect(await reset()).toBe('exists');
      await store().manifests.publish(ALICE, manifest(2, 2), [device(ALICE, 9)], NOW);
      expect(await reset({ now: NOW + 9 })).toBe('exists');
      expect(await reset({ key: 3, content: 3, device: 8, from: 2 })).toBe('reset');
      await expectError(reset({ key: 4, content: 4, device: 7, from: 3 }), 'not-found');
    });

    it('keep their name, however long nobody finishes them', async () => {
      await people(store(), ALICE, 1);
      await addCode();
      await reset();
      const claim = store().accounts.create(account(ALICE, 3), manifest(1, 3), [device(ALICE, 3)], undefined, {
        now: NOW + 1e9,
        afterMs: 1,
      });
      await expectError(claim, 'conflict');
    });

    it('are none without a code that is good, and nothing has changed then', async () => {
      await people(store(), ALICE, 1);
      await expectError(reset(), 'not-found');
      await addCode();
      await expectError(reset({ now: NOW + 1 }), 'not-found');
      await addCode(0);
      await expectError(reset(), 'not-found');
      expect(await store().accounts.find(ALICE)).toEqual(account(ALICE));
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 1)]);
    });

    it('are none where there is no account, or was one; the code stays', async () => {
      await addCode();
      await expectError(reset(), 'not-found');
      await people(store(), ALICE, 1);
      await store().accounts.delete(ALICE, NOW);
      await expectError(reset(), 'not-found');
      expect(await isGood(store(), code)).toBe(true);
    });

    it.each([
      ['from another key than it has', { from: 3 }],
      ['to the key that it has', { key: 1 }],
      ['with a device id that was used before', { device: 1 }],
    ])('are refused %s; the code stays', async (_, terms) => {
      await people(store(), ALICE, 1);
      await addCode();
      await expectError(reset(terms), 'conflict');
      expect(await store().accounts.find(ALICE)).toEqual(account(ALICE));
      expect(await reset()).toBe('reset');
    });

    it('are refused with a key of somebody else; the code stays', async () => {
      await people(store(), ALICE, 1);
      await people(store(), BOB, 1);
      await addCode();
      const theirs = { ...account(ALICE, 2), accountKey: account(BOB).accountKey };
      const terms = { from: account(ALICE).accountKey, code: { hash: code, now: NOW } };
      await expectError(store().accounts.reset(theirs, manifest(1, 2), [device(ALICE, 9)], terms), 'conflict');
      expect(await reset()).toBe('reset');
    });

    it('go to one of two that have a code at the same time', async () => {
      await people(store(), ALICE, 1);
      await addCode(2);
      const calls = [reset({ key: 2, content: 2, device: 8 }), reset({ key: 3, content: 3, device: 9 })];
      const results = await Promise.allSettled(calls);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await listed(store(), ALICE)).toHaveLength(1);
    });
  });
}

async function isGood(store: Store, hash: Uint8Array): Promise<boolean> {
  const created = store.accounts.create(account(BOB, 8), manifest(1), [device(BOB, 8)], { hash, now: NOW });
  return created.then(
    () => true,
    () => false,
  );
}
