/**
 * Calls over several aggregates, interrupted at each of their durable steps, before the step and after it: what counts is what the port
 * says of the commit point, and the same call again completes it.
 */
import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { type Fate, inOneStep } from '../faults.ts';
import type { Store } from '../port.ts';
import {
  ALICE,
  account,
  BOB,
  bundle,
  bytes,
  device,
  deviceId,
  expectError,
  listed,
  MANY,
  mail,
  manifest,
  NOW,
  nameAnew,
  type OpenStore,
  oneTimeKeys,
  people,
  ROOMY,
  readAll,
  secret,
  upTo,
} from './fixture.ts';

interface Interruption {
  readonly title: string;
  prepare(store: Store): Promise<unknown>;
  call(store: Store): Promise<unknown>;
  /** What holds after a call whose outcome is unknown. */
  between?(store: Store): Promise<void>;
  /** What holds once the call was made again. */
  after(store: Store): Promise<void>;
}

const phone = () => deviceId(ALICE, 1);
const laptop = () => deviceId(ALICE, 2);
const bob = () => deviceId(BOB, 1);
const contents = async (store: Store, one: DeviceId) =>
  (await readAll(store, one)).mails.map((one) => one.bytes[0] as number);
const isUnknown = async (store: Store, one: DeviceId) =>
  (await store.mailboxes.append([mail(999, bob(), [one])], ROOMY))[0]?.status === 'unknown';

const INTERRUPTIONS: readonly Interruption[] = [
  {
    title: 'accounts.create: there with its devices or not at all; the invitation is used once',
    prepare: (store) => store.accounts.addInvitation(secret(1), 1, NOW + 1),
    call: (store) =>
      store.accounts.create(account(ALICE), manifest(1), [device(ALICE, 1), device(ALICE, 2)], {
        hash: secret(1),
        now: NOW,
      }),
    async between(store) {
      const isThere = (await store.accounts.find(ALICE)) !== undefined;
      expect((await store.devices.find(phone())) !== undefined).toBe(isThere);
      expect((await store.manifests.newest(ALICE)) !== undefined).toBe(isThere);
      expect(await listed(store, ALICE)).toHaveLength(isThere ? 2 : 0);
    },
    async after(store) {
      expect(await store.accounts.find(ALICE)).toEqual(account(ALICE));
      expect(await listed(store, ALICE)).toEqual([device(ALICE, 1), device(ALICE, 2)]);
      const invited = { hash: secret(1), now: NOW };
      await expectError(store.accounts.create(account(BOB), manifest(1), [device(BOB, 1)], invited), 'not-found');
      expect(await store.mailboxes.append([mail(1, bob(), [phone(), laptop()])], ROOMY)).toMatchObject([
        { status: 'accepted' },
      ]);
    },
  },
  {
    title: 'accounts.create over one that nobody finished: the one is there whole, or the other',
    prepare: (store) => people(store, ALICE, 2),
    call: (store) =>
      store.accounts.create(account(ALICE, 2), manifest(1, 2), [device(ALICE, 9)], undefined, {
        now: NOW + 1,
        afterMs: 1,
      }),
    async between(store) {
      const isNew = (await store.accounts.find(ALICE))?.accountKey.at(-1) === account(ALICE, 2).accountKey.at(-1);
      expect(await store.accounts.find(ALICE)).toEqual(account(ALICE, isNew ? 2 : 1));
      expect(await listed(store, ALICE)).toHaveLength(isNew ? 1 : 2);
      expect((await store.devices.find(phone())) === undefined).toBe(isNew);
    },
    async after(store) {
      expect(await listed(store, ALICE)).toEqual([device(ALICE, 9)]);
      expect(await isUnknown(store, laptop())).toBe(true);
      const heir = { ...device(BOB, 1), loginKey: device(ALICE, 2).loginKey };
      expect(await store.accounts.create(account(BOB), manifest(1), [heir])).toBe('created');
    },
  },
  {
    title: 'accounts.reset: the one account is there whole, or the other; the code is used once',
    async prepare(store) {
      await people(store, ALICE, 2);
      await store.accounts.addInvitation(secret(2), 1, NOW + 1);
      await store.prekeys.register(phone(), 'c25519', bundle(1), oneTimeKeys(1));
    },
    call: (store) =>
      store.accounts.reset(account(ALICE, 2), manifest(1, 2), [device(ALICE, 9)], {
        from: account(ALICE).accountKey,
        code: { hash: secret(2), now: NOW },
      }),
    async between(store) {
      const isNew = (await store.accounts.find(ALICE))?.accountKey.at(-1) === account(ALICE, 2).accountKey.at(-1);
      expect(await store.accounts.find(ALICE)).toEqual(account(ALICE, isNew ? 2 : 1));
      expect(await listed(store, ALICE)).toHaveLength(isNew ? 1 : 2);
      expect(await store.manifests.newest(ALICE)).toEqual(isNew ? manifest(1, 2) : manifest(1));
      expect((await store.devices.find(phone())) === undefined).toBe(isNew);
    },
    async after(store) {
      expect(await listed(store, ALICE)).toEqual([device(ALICE, 9)]);
      expect(await isUnknown(store, laptop())).toBe(true);
      expect(await store.prekeys.find('c25519', [phone()])).toEqual([undefined]);
      const invited = { hash: secret(2), now: NOW };
      await expectError(store.accounts.create(account(BOB), manifest(1), [device(BOB, 1)], invited), 'not-found');
      const heir = { ...device(BOB, 1), loginKey: device(ALICE, 2).loginKey };
      expect(await store.accounts.create(account(BOB), manifest(1), [heir])).toBe('created');
    },
  },
  {
    title: 'manifests.publish: the newest version and the devices that it names change together',
    prepare: (store) => people(store, ALICE, 2),
    call: (store) => store.manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 3)], NOW),
    async between(store) {
      const isNew = (await store.manifests.newest(ALICE))?.version === 2;
      expect((await store.devices.find(laptop())) === undefined).toBe(isNew);
      expect((await store.devices.find(deviceId(ALICE, 3))) !== undefined).toBe(isNew);
    },
    async after(store) {
      expect(await store.manifests.history(ALICE, 0, 9)).toEqual([manifest(1), manifest(2)]);
      expect(await listed(store, ALICE)).toEqual([device(ALICE, 1), device(ALICE, 3)]);
      expect(await isUnknown(store, laptop())).toBe(true);
      // Its keys are free.
      const heir = { ...device(BOB, 1), loginKey: device(ALICE, 2).loginKey };
      expect(await store.accounts.create(account(BOB), manifest(1), [heir])).toBe('created');
    },
  },
  {
    title: 'devices.remove: cut off, with its keys and its mailbox',
    async prepare(store) {
      await people(store, ALICE, 2);
      await store.prekeys.register(phone(), 'c25519', bundle(1), oneTimeKeys(1));
      await store.mailboxes.append([mail(1, bob(), [phone()])], ROOMY);
    },
    call: (store) => store.devices.remove(phone(), NOW),
    async after(store) {
      expect(await store.devices.find(phone())).toBeUndefined();
      expect(await store.prekeys.find('c25519', [phone()])).toEqual([undefined]);
      expect(await store.mailboxes.usage(phone())).toEqual({ messages: 0, bytes: 0 });
      expect(await store.prekeys.register(laptop(), 'c25519', bundle(1), [])).toBe('registered');
    },
  },
  {
    title: 'accounts.delete: gone with all that is its own, and its name stays taken',
    async prepare(store) {
      await people(store, ALICE, 2);
      await store.appPasswords.add(ALICE, { id: '1', name: 'one', createdAt: NOW, verifier: bytes(1) }, 9);
      const room = { attachments: 1, bytes: 9 };
      await store.attachments.add(ALICE, { id: '1', bytes: 9, handle: '', expiresAt: NOW + 1 }, room);
    },
    call: (store) => store.accounts.delete(ALICE, NOW),
    async between(store) {
      const isThere = (await store.accounts.find(ALICE)) !== undefined;
      expect((await store.devices.find(phone())) !== undefined).toBe(isThere);
    },
    async after(store) {
      expect(await store.accounts.find(ALICE)).toBeUndefined();
      expect(await store.appPasswords.list(ALICE)).toEqual([]);
      expect((await store.attachments.expired(NOW, 1_000)).some(({ address }) => address === ALICE)).toBe(true);
      expect(await isUnknown(store, phone())).toBe(true);
      await expectError(store.accounts.create(account(ALICE, 2), manifest(1), [device(ALICE, 9)]), 'conflict');
      const heir = { ...account(BOB), accountKey: account(ALICE).accountKey };
      expect(await store.accounts.create(heir, manifest(1), [device(BOB, 1)])).toBe('created');
    },
  },
  {
    title: 'waiting.register: waits with its keys',
    prepare: (store) => people(store, ALICE, 1),
    call: (store) =>
      store.waiting.register(deviceId(ALICE, 7), 'c25519', bundle(1), oneTimeKeys(1, 2), { maximum: 9, now: NOW }),
    async after(store) {
      expect(await store.waiting.list(ALICE)).toHaveLength(1);
      expect(await store.prekeys.listOneTime(deviceId(ALICE, 7), 'c25519')).toEqual([1, 2]);
    },
  },
  {
    title: 'waiting.remove: gone for good, and its keys are free',
    async prepare(store) {
      await people(store, ALICE, 1);
      await store.waiting.register(deviceId(ALICE, 7), 'c25519', bundle(1), [], { maximum: 9, now: NOW });
    },
    call: (store) => store.waiting.remove(deviceId(ALICE, 7)),
    async after(store) {
      expect(await store.waiting.find(deviceId(ALICE, 7))).toBeUndefined();
      const again = { maximum: 9, now: NOW };
      await expectError(store.waiting.register(deviceId(ALICE, 7), 'c25519', bundle(2), [], again), 'conflict');
      expect(await store.prekeys.register(phone(), 'c25519', bundle(1), [])).toBe('registered');
    },
  },
  {
    title: 'prekeys.claim: no one-time key comes twice, though some may be lost',
    async prepare(store) {
      await people(store, ALICE, 2);
      await store.prekeys.register(phone(), 'c25519', bundle(1), oneTimeKeys(1, 2, 3));
      await store.prekeys.register(laptop(), 'c25519', bundle(2), oneTimeKeys(1, 2, 3));
    },
    call: (store) => store.prekeys.claim('c25519', [phone(), laptop()], NOW),
    async after(store) {
      for (const one of [phone(), laptop()]) {
        const left = await store.prekeys.listOneTime(one, 'c25519');
        const [claimed] = await store.prekeys.claim('c25519', [one], NOW);
        expect([1, 2]).toContain(left.length);
        expect(left[0]).toBe(claimed?.oneTimePrekey?.id);
        expect(left).not.toContain(1);
      }
    },
  },
  {
    title: 'A10, mailboxes.append: the same again completes it, in order and without a double',
    prepare: (store) => people(store, ALICE, 3),
    async call(store) {
      const all = [phone(), laptop(), deviceId(ALICE, 3)];
      const results = await store.mailboxes.append([mail(1, bob(), all), mail(2, bob(), all)], ROOMY);
      for (const { status } of results) expect(['accepted', 'repeated']).toContain(status);
    },
    async between(store) {
      for (const n of [1, 2, 3]) expect([[], [1], [1, 2]]).toContainEqual(await contents(store, deviceId(ALICE, n)));
    },
    async after(store) {
      for (const n of [1, 2, 3]) {
        // What a crashed attempt left behind holds nothing back for long.
        for (let reads = 0; reads < 9; reads++) await readAll(store, deviceId(ALICE, n));
        expect(await contents(store, deviceId(ALICE, n))).toEqual([1, 2]);
      }
    },
  },
  {
    title: 'A20, mailboxes.append: a repeat names the same full mailbox',
    async prepare(store) {
      await people(store, ALICE, 2);
      await store.mailboxes.append([mail(9, bob(), [phone()])], ROOMY);
    },
    async call(store) {
      const [result] = await store.mailboxes.append([mail(1, bob(), [phone(), laptop()])], { ...ROOMY, messages: 1 });
      expect(result).toMatchObject({ refused: [phone()] });
    },
    async after(store) {
      expect(await contents(store, phone())).toEqual([9]);
      for (let reads = 0; reads < 9; reads++) await readAll(store, laptop());
      expect(await contents(store, laptop())).toEqual([1]);
    },
  },
  {
    title: 'mailboxes.acknowledge: the same again forgets the rest',
    async prepare(store) {
      await people(store, ALICE, 2);
      await store.mailboxes.append([mail(1, bob(), [phone(), laptop()])], ROOMY);
    },
    call: (store) => store.mailboxes.acknowledge([upTo(phone(), 9), upTo(laptop(), 9)]),
    async after(store) {
      for (const one of [phone(), laptop()]) expect(await contents(store, one)).toEqual([]);
    },
  },
  {
    title: 'A21, mailboxes.expire: what expired is told of once',
    async prepare(store) {
      await people(store, ALICE, 2);
      await store.mailboxes.append([mail(1, bob(), [phone(), laptop()]), mail(2, bob(), [phone(), laptop()])], ROOMY);
    },
    call: (store) => store.mailboxes.expire(NOW + 1, MANY),
    async after(store) {
      for (const one of [phone(), laptop()])
        expect(await readAll(store, one)).toMatchObject({ mails: [], gap: { count: 2, reason: 'expired' } });
    },
  },
];

export function interruptionContract(open: OpenStore): void {
  describe('calls that are interrupted', () => {
    it.each(
      INTERRUPTIONS.flatMap((one) => (['failed', 'failed-but-persisted'] as const).map((fate) => ({ ...one, fate }))),
    )(
      '$title ($fate)',
      async ({ fate, ...interruption }) => {
        let step = 1;
        while (await interrupt(open, interruption, step, fate)) step++;
        // A call that has no step cannot be interrupted: then nothing was shown.
        expect(step).toBeGreaterThan(1);
      },
      60_000,
    );
  });
}

/** False when the call is over before its `nth` step. */
async function interrupt(open: OpenStore, interruption: Interruption, nth: number, fate: Fate): Promise<boolean> {
  nameAnew();
  const opened = await open();
  try {
    const { store, steps } = opened.steps ? { store: opened.store, steps: opened.steps } : inOneStep(opened.store);
    await interruption.prepare(store);
    let isInterrupted = false;
    steps.plan((step) => {
      if (step !== nth) return 'done';
      isInterrupted = true;
      return fate;
    });
    const outcome = await interruption.call(store).then(
      () => undefined,
      (error: unknown) => error,
    );
    steps.plan(() => 'done');
    if (!isInterrupted) {
      expect(outcome).toBeUndefined();
      return false;
    }
    expect(outcome).toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    await interruption.between?.(store);
    await interruption.call(store);
    await interruption.after(store);
    return true;
  } finally {
    await opened.close();
  }
}
