import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import { KeyTakenError, type WaitingTerms } from '../port.ts';
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
  listed,
  mail,
  manifest,
  NOW,
  type OpenStore,
  oneTimeKeys,
  people,
  ROOMY,
} from './fixture.ts';

const CURVE = 'c25519';
const TERMS: WaitingTerms = { maximum: 10, now: NOW };

export function waitingContract(open: OpenStore): void {
  describe('waiting devices', () => {
    let phone: DeviceId;
    const store = eachWithStore(open, () => {
      phone = deviceId(ALICE, 7);
    });
    const register = (id = phone, n = 1, terms: Partial<WaitingTerms> = {}, suite: ServedSuite = CURVE) =>
      store().waiting.register(id, suite, bundle(n), oneTimeKeys(n, n + 1), { ...TERMS, ...terms });
    const claim = (id: DeviceId) => store().prekeys.claim(CURVE, [id], NOW);
    /** As its owner admits it. */
    const admitted = (id: DeviceId, n = 1) => ({
      id,
      identities: [{ suite: 'c25519' as const, identityKey: bundle(n).identityKey }],
      loginKey: new Uint8Array(0),
      addedAt: NOW + 50,
    });

    it('have bundles like any device, but are no devices: no login, no list, no mailbox', async () => {
      await people(store(), ALICE, 1);
      expect(await register()).toBe('registered');
      expect(await claim(phone)).toEqual([{ ...bundle(1), oneTimePrekey: oneTimeKeys(1)[0] }]);
      expect(await store().devices.find(phone)).toBeUndefined();
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 1)]);
      expect(await store().mailboxes.append([mail(1, deviceId(ALICE, 1), [phone])], ROOMY)).toEqual([
        { status: 'unknown', devices: [phone] },
      ]);
      expect(await store().mailboxes.claimSession(phone, 9)).toBeUndefined();
    });

    it('are found, and listed oldest first, with what they registered on each suite, in the order of LIME’s ids', async () => {
      await people(store(), ALICE, 1);
      await people(store(), BOB, 1);
      const late = deviceId(ALICE, 5);
      await register(late, 3, { now: NOW + 9 });
      await register(phone, 6, {}, 'c25519mlk512');
      await register(phone, 7, {}, 'c25519k512');
      await register(phone, 2, {}, 'c448');
      await register(phone, 1, { now: NOW + 20 });
      await register(deviceId(BOB, 5), 4);
      const identities = [
        { suite: 'c25519', identityKey: bundle(1).identityKey },
        { suite: 'c448', identityKey: bundle(2).identityKey },
        { suite: 'c25519k512', identityKey: bundle(7).identityKey },
        { suite: 'c25519mlk512', identityKey: bundle(6).identityKey },
      ];
      expect(await store().waiting.find(phone)).toEqual({ id: phone, identities, since: NOW });
      expect((await store().waiting.list(ALICE)).map(({ id }) => id)).toEqual([phone, late]);
      expect(await store().waiting.find(deviceId(ALICE, 1))).toBeUndefined();
      expect(await store().waiting.list(`${ALICE}0` as typeof ALICE)).toEqual([]);
    });

    it('D03: the same registration again changes nothing; other keys conflict', async () => {
      await people(store(), ALICE, 1);
      await register();
      expect(await register()).toBe('same');
      await expectError(register(phone, 2), 'conflict');
      await expectError(
        store().waiting.register(phone, CURVE, { ...bundle(1), identityKey: bytes(9) }, [], TERMS),
        'conflict',
      );
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([1, 2]);
    });

    it('need an account, unless told otherwise', async () => {
      await expectError(register(), 'not-found');
      expect(await register(phone, 1, { withoutAccount: true })).toBe('registered');
      expect(await store().waiting.list(ALICE)).toHaveLength(1);
      expect(await claim(phone)).toHaveLength(1);
      await people(store(), ALICE, 1);
      expect(await store().waiting.list(ALICE)).toHaveLength(1);
    });

    it('are no more than the maximum, devices included; another curve of one that waits is no new one', async () => {
      await people(store(), ALICE, 2);
      await register(phone, 1, { maximum: 3 });
      await expectError(register(deviceId(ALICE, 8), 3, { maximum: 3 }), 'limit');
      expect(await register(phone, 5, { maximum: 3 }, 'c448')).toBe('registered');
      expect(await register(phone, 1, { maximum: 3 })).toBe('same');
      expect(await store().waiting.find(deviceId(ALICE, 8))).toBeUndefined();
      expect(await claim(deviceId(ALICE, 8))).toEqual([undefined]);
      await store().waiting.remove(phone);
      expect(await register(deviceId(ALICE, 8), 3, { maximum: 3 })).toBe('registered');
    });

    it('are no more than the maximum in parallel either', async () => {
      await people(store(), ALICE, 1);
      const results = await Promise.allSettled(
        [11, 12, 13, 14].map((n) => register(deviceId(ALICE, n), n, { maximum: 3 })),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      expect(await store().waiting.list(ALICE)).toHaveLength(2);
    });

    it('use the calls for prekeys like a device', async () => {
      await people(store(), ALICE, 1);
      await register();
      await store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(5), { maximum: 3, now: NOW });
      await expectError(store().prekeys.addOneTime(phone, CURVE, oneTimeKeys(6), { maximum: 3, now: NOW }), 'limit');
      await store().prekeys.replaceSignedPrekey(phone, CURVE, bundle(2).signedPrekey);
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([1, 2, 5]);
      expect((await claim(phone))[0]?.signedPrekey).toEqual(bundle(2).signedPrekey);
      await expectError(store().prekeys.register(phone, 'c448', bundle(3), []), 'not-found');
    });

    it('that delete their last keys are gone, and may come back with others', async () => {
      await people(store(), ALICE, 1);
      await register();
      await register(phone, 5, {}, 'c448');
      await store().prekeys.delete(phone, CURVE);
      expect((await store().waiting.find(phone))?.identities).toEqual([
        { suite: 'c448', identityKey: bundle(5).identityKey },
      ]);
      await store().prekeys.delete(phone, 'c448');
      expect(await store().waiting.find(phone)).toBeUndefined();
      expect(await register(phone, 2)).toBe('registered');
    });

    it('I12: are removed for good, and with their account', async () => {
      await people(store(), ALICE, 1);
      const laptop = deviceId(ALICE, 8);
      await register();
      await register(laptop, 3);
      await store().waiting.remove(phone);
      await store().waiting.remove(phone);
      await store().waiting.remove(deviceId(ALICE, 1));
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 1)]);
      expect(await claim(phone)).toEqual([undefined]);
      await expectError(register(), 'conflict');
      await expectError(store().manifests.publish(ALICE, manifest(2), [admitted(phone)], NOW), 'conflict');
      await store().accounts.delete(ALICE, NOW);
      expect(await store().waiting.list(ALICE)).toEqual([]);
      expect(await claim(laptop)).toEqual([undefined]);
      await expectError(register(deviceId(ALICE, 9), 5), 'not-found');
    });

    it('become devices by a manifest that names what they registered, with their keys and an empty mailbox', async () => {
      const [first] = await people(store(), ALICE, 1);
      await register();
      await store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), admitted(phone)], NOW);
      expect(await store().devices.find(phone)).toEqual(admitted(phone));
      expect(await listed(store(), ALICE)).toEqual([device(ALICE, 1), admitted(phone)]);
      expect(await store().waiting.find(phone)).toBeUndefined();
      expect(await store().prekeys.listOneTime(phone, CURVE)).toEqual([1, 2]);
      expect(await store().mailboxes.append([mail(1, first!, [phone])], ROOMY)).toEqual([accepted(1)]);
      expect(await store().prekeys.register(phone, CURVE, bundle(1), [])).toBe('same');
      await expectError(register(), 'conflict');
    });

    it('do not become devices with other identity keys, more or fewer of them, and then change nothing', async () => {
      await people(store(), ALICE, 1);
      await register();
      const one = admitted(phone).identities[0]!;
      const c448 = { suite: 'c448' as const, identityKey: bytes(99, 57) };
      for (const identities of [[{ ...one, identityKey: bytes(99) }], [c448], [one, c448], []])
        await expectError(
          store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), { ...admitted(phone), identities }], NOW),
          'conflict',
        );
      expect(await store().waiting.find(phone)).toBeDefined();
      expect(await store().manifests.newest(ALICE)).toEqual(manifest(1));
    });

    it('a registration beside the admission: before it or refused, never half', async () => {
      await people(store(), ALICE, 1);
      await register();
      const [, other] = await Promise.allSettled([
        store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), admitted(phone)], NOW),
        register(phone, 5, {}, 'c448'),
      ]);
      const listed = await store().devices.find(phone);
      // Whichever came first, a device has no keys on a curve that its manifest does not name.
      expect(other.status).toBe(listed ? 'rejected' : 'fulfilled');
    });
  });

  describe('public keys', () => {
    let phone: DeviceId;
    const store = eachWithStore(open, () => {
      phone = deviceId(ALICE, 1);
    });
    const identity = (identityKey: Uint8Array) => [{ suite: 'c25519' as const, identityKey }];
    const taken = (promise: Promise<unknown>) => expect(promise).rejects.toBeInstanceOf(KeyTakenError);

    it('of another account are refused: in a new account, in a manifest, at registration; nothing is stored', async () => {
      await people(store(), ALICE, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), []);
      const alices = [
        account(ALICE).accountKey,
        device(ALICE, 1).loginKey,
        bundle(1).identityKey,
        bundle(1).signedPrekey.publicKey,
      ];
      alices.push(device(ALICE, 1).identities[0]!.identityKey);
      for (const key of alices) {
        const bobs = device(BOB, 1);
        await taken(store().accounts.create({ ...account(BOB), accountKey: key }, manifest(1), [bobs]));
        await taken(store().accounts.create(account(BOB), manifest(1), [{ ...bobs, loginKey: key }]));
        await taken(store().accounts.create(account(BOB), manifest(1), [{ ...bobs, identities: identity(key) }]));
      }
      await people(store(), BOB, 1);
      const laptop = deviceId(BOB, 2);
      for (const key of alices) {
        const second = { ...device(BOB, 2), identities: identity(key) };
        await taken(store().manifests.publish(BOB, manifest(2), [device(BOB, 1), second], NOW));
        const asIdentity = { ...bundle(5), identityKey: key };
        const asSigned = { ...bundle(5), signedPrekey: { ...bundle(5).signedPrekey, publicKey: key } };
        for (const stolen of [asIdentity, asSigned]) {
          await taken(store().waiting.register(laptop, CURVE, stolen, oneTimeKeys(1), TERMS));
          await taken(store().prekeys.register(deviceId(BOB, 1), CURVE, stolen, oneTimeKeys(1)));
        }
      }
      expect(await store().manifests.newest(BOB)).toEqual(manifest(1));
      expect(await store().waiting.find(laptop)).toBeUndefined();
      await expectError(store().prekeys.listOneTime(deviceId(BOB, 1), CURVE), 'not-found');
      await store().prekeys.register(deviceId(BOB, 1), CURVE, bundle(5), []);
      await taken(store().prekeys.replaceSignedPrekey(deviceId(BOB, 1), CURVE, bundle(1).signedPrekey));
      expect(await store().prekeys.find(CURVE, [deviceId(BOB, 1)])).toEqual([bundle(5)]);
    });

    it('of another device of the same account are refused too', async () => {
      await people(store(), ALICE, 2);
      await store().prekeys.register(phone, CURVE, bundle(1), []);
      await taken(store().prekeys.register(deviceId(ALICE, 2), CURVE, bundle(1), []));
      await taken(store().waiting.register(deviceId(ALICE, 3), CURVE, bundle(1), [], TERMS));
      const third = { ...device(ALICE, 3), loginKey: device(ALICE, 2).loginKey };
      await taken(store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 2), third], NOW));
      const both = [3, 4].map((n) => ({ ...device(ALICE, n), loginKey: bytes(200) }));
      await taken(store().manifests.publish(ALICE, manifest(2), [device(ALICE, 1), ...both], NOW));
    });

    it('go to one of many who register the same in parallel', async () => {
      await people(store(), ALICE, 1);
      await people(store(), BOB, 1);
      const ids = [ALICE, BOB].flatMap((address) => [5, 6, 7].map((n) => deviceId(address, n)));
      const results = await Promise.allSettled(
        ids.map((id) => store().waiting.register(id, CURVE, bundle(1), oneTimeKeys(1), TERMS)),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const waiting = [...(await store().waiting.list(ALICE)), ...(await store().waiting.list(BOB))];
      expect(waiting).toHaveLength(1);
    });

    it('are free again when their owner goes, or replaces them', async () => {
      await people(store(), ALICE, 2);
      await people(store(), BOB, 1);
      const other = deviceId(BOB, 1);
      await store().prekeys.register(phone, CURVE, bundle(1), []);
      await store().prekeys.replaceSignedPrekey(phone, CURVE, bundle(2).signedPrekey);
      const withOldSigned = { ...bundle(8), signedPrekey: bundle(1).signedPrekey };
      expect(await store().prekeys.register(other, CURVE, withOldSigned, [])).toBe('registered');
      await store().prekeys.delete(other, CURVE);
      await taken(store().prekeys.register(other, CURVE, bundle(1), []));
      await store().prekeys.delete(phone, CURVE);
      expect(await store().prekeys.register(other, CURVE, bundle(1), [])).toBe('registered');
      await store().prekeys.delete(other, CURVE);
      await store().waiting.register(deviceId(ALICE, 7), CURVE, bundle(1), [], TERMS);
      await taken(store().prekeys.register(other, CURVE, bundle(1), []));
      await store().waiting.remove(deviceId(ALICE, 7));
      expect(await store().prekeys.register(other, CURVE, bundle(1), [])).toBe('registered');
      const heir = { ...device(BOB, 2), loginKey: device(ALICE, 1).loginKey };
      await taken(store().manifests.publish(BOB, manifest(2), [device(BOB, 1), heir], NOW));
      await store().devices.remove(phone, NOW);
      await store().manifests.publish(BOB, manifest(2), [device(BOB, 1), heir], NOW);
      await store().accounts.delete(ALICE, NOW);
      const carol = { ...account(`${BOB}m` as typeof BOB), accountKey: account(ALICE).accountKey };
      const reborn = { ...device(carol.address, 1), loginKey: device(ALICE, 2).loginKey };
      expect(await store().accounts.create(carol, manifest(1), [reborn])).toBe('created');
    });

    it('of a device that leaves by the very manifest may go to one that comes', async () => {
      await people(store(), ALICE, 1);
      const heir = { ...device(ALICE, 2), identities: device(ALICE, 1).identities };
      await store().manifests.publish(ALICE, manifest(2), [heir], NOW);
      expect(await listed(store(), ALICE)).toEqual([heir]);
      const again = { ...device(ALICE, 3), identities: heir.identities };
      await taken(store().manifests.publish(ALICE, manifest(3), [heir, again], NOW));
    });

    it('a device without a login key uses none, so many may be without', async () => {
      const without = [1, 2].map((n) => ({ ...device(ALICE, n), loginKey: new Uint8Array(0) }));
      expect(await store().accounts.create(account(ALICE), manifest(1), without)).toBe('created');
    });
  });
}
