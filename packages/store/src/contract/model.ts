/** Any sequence of calls on mailboxes has the same answers from every adapter: the memory store is the readable twin. */
import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { openMemoryStore } from '../memory.ts';
import type { MailboxLimits, Store } from '../port.ts';
import { ALICE, BOB, deviceId, LIFE_MS, legible, mail, NOW, type OpenStore, people } from './fixture.ts';

const DEVICES = [1, 2, 3].map((n) => deviceId(ALICE, n));
const BOB_PHONE = deviceId(BOB, 1);

/** Small enough that messages meet them, and larger than what is enclosed in a head or fits a segment. */
const SIZES = [0, 1, 10, 700, 2_000, 40_000];

type Step = (store: Store) => Promise<unknown>;

const recipients = fc.array(fc.constantFrom(...DEVICES), { minLength: 0, maxLength: 3 });
const message = fc.record({
  n: fc.nat(60),
  digest: fc.constantFrom(1, 1, 1, 2),
  size: fc.constantFrom(...SIZES),
  age: fc.nat(200),
  to: recipients,
});
const limits: fc.Arbitrary<MailboxLimits> = fc.record({
  messages: fc.constantFrom(5, 40, 10_000),
  bytes: fc.constantFrom(5_000, 100_000, 1 << 26),
  lifeMs: fc.constant(LIFE_MS),
  whenFull: fc.constantFrom('refuse', 'trim'),
});
const aDevice: fc.Arbitrary<DeviceId> = fc.constantFrom(...DEVICES);

const append: fc.Arbitrary<Step> = fc
  .record({ batch: fc.array(message, { maxLength: 12 }), rules: limits })
  .map(({ batch, rules }) => (store) => {
    const mails = batch.map(({ n, digest, size, age, to }) => mail(n, BOB_PHONE, to, { digest, size, at: NOW + age }));
    return store.mailboxes.append(mails, rules);
  });
/** Many appends of their own, so that mailboxes get deep. */
const fill: fc.Arbitrary<Step> = fc
  .record({ from: fc.nat(9), device: aDevice })
  .map(({ from, device }) => async (store) => {
    const rules: MailboxLimits = { messages: 10_000, bytes: 1 << 26, lifeMs: LIFE_MS, whenFull: 'refuse' };
    for (let i = 0; i < 20; i++)
      await store.mailboxes.append([mail(1_000 + from * 20 + i, BOB_PHONE, [device])], rules);
  });
const acknowledge: fc.Arbitrary<Step> = fc
  .array(
    fc.record({
      device: aDevice,
      session: fc.nat(3),
      upTo: fc.oneof(fc.nat(30), fc.constant(0), fc.constant(1e9)),
      also: fc.array(fc.nat(60), { maxLength: 6 }),
    }),
    { maxLength: 4 },
  )
  .map((batch) => (store) => store.mailboxes.acknowledge(batch));
const claim: fc.Arbitrary<Step> = fc.record({ device: aDevice, session: fc.nat(3) }).map(
  ({ device, session }) =>
    (store) =>
      store.mailboxes.claimSession(device, session),
);
const read: fc.Arbitrary<Step> = fc
  .record({
    device: aDevice,
    after: fc.nat(60),
    messages: fc.nat(20),
    bytes: fc.constantFrom(0, 100, 1 << 20),
    age: fc.nat(300),
  })
  .map(
    ({ device, after, messages, bytes, age }) =>
      (store) =>
        store.mailboxes.read(device, after, messages, bytes, NOW + LIFE_MS + age, LIFE_MS).then(legible),
  );
const expire: fc.Arbitrary<Step> = fc
  .nat(300)
  .map((age) => (store) => store.mailboxes.expire(NOW + LIFE_MS + age, LIFE_MS));
const remove: fc.Arbitrary<Step> = aDevice.map((device) => (store) => store.devices.remove(device, NOW));

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: append },
    { weight: 2, arbitrary: fill },
    { weight: 8, arbitrary: acknowledge },
    { weight: 2, arbitrary: claim },
    { weight: 4, arbitrary: read },
    { weight: 2, arbitrary: expire },
    { weight: 1, arbitrary: remove },
  ),
  { minLength: 1, maxLength: 30 },
);

export function modelContract(open: OpenStore): void {
  describe('mailboxes', () => {
    it('answer any sequence of calls as the memory store does', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (sequence) => {
          const { store, close } = await open();
          const twin = openMemoryStore();
          try {
            for (const one of [store, twin]) await people(one, ALICE, DEVICES.length);
            for (const step of sequence) {
              expect(await step(store)).toEqual(await step(twin));
              for (const device of DEVICES)
                expect(await store.mailboxes.usage(device)).toEqual(await twin.mailboxes.usage(device));
            }
            for (const device of DEVICES) {
              const whole = (one: Store) => one.mailboxes.read(device, 0, 1e6, 1e9, NOW, LIFE_MS).then(legible);
              expect(await whole(store)).toEqual(await whole(twin));
            }
          } finally {
            await close();
          }
        }),
        { seed: 20_260_801, numRuns: 40 },
      );
    }, 60_000);
  });
}
