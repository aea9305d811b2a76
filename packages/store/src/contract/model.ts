/** Any sequence of calls on mailboxes has the same answers from every adapter: the memory store is the readable twin. */
import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { openMemoryStore } from '../memory.ts';
import type { MailboxLimits, MailboxPage, Store } from '../port.ts';
import {
  ALICE,
  BOB,
  deviceId,
  LIFE_MS,
  legible,
  MANY,
  mail,
  NOW,
  nameAnew,
  type OpenStore,
  people,
  ROOMY,
  readAll,
} from './fixture.ts';
import { numberedByOne } from './numbers.ts';

const DEVICES = 3;
/** Small enough that messages meet them, and larger than what fits a unit of storage. */
const SIZES = [0, 1, 10, 700, 2_000, 40_000];

type Step = (store: Store) => Promise<unknown>;

const aDevice = fc.integer({ min: 1, max: DEVICES }).map((n) => () => deviceId(ALICE, n));
/** Of three accounts, one of which has two devices. */
const aSender: fc.Arbitrary<() => DeviceId> = fc.constantFrom(
  () => deviceId(BOB, 1),
  () => deviceId(BOB, 2),
  () => deviceId(`${BOB}c` as typeof BOB, 1),
  () => deviceId(`${BOB}d` as typeof BOB, 1),
);
const message = fc.record({
  n: fc.nat(60),
  sender: aSender,
  digest: fc.constantFrom(1, 1, 1, 2),
  size: fc.constantFrom(...SIZES),
  age: fc.nat(200),
  to: fc.array(aDevice, { minLength: 0, maxLength: 3 }),
});
const limits: fc.Arbitrary<MailboxLimits> = fc.record({
  messages: fc.constantFrom(5, 40, 10_000),
  bytes: fc.constantFrom(5_000, 100_000, 1 << 26),
  lifeMs: fc.constant(LIFE_MS),
  whenFull: fc.constantFrom('refuse', 'trim'),
  memory: fc.constant(ROOMY.memory),
});

const append: fc.Arbitrary<Step> = fc
  .record({ batch: fc.array(message, { maxLength: 12 }), rules: limits })
  .map(({ batch, rules }) => (store) => {
    const mails = batch.map(({ n, sender, digest, size, age, to }) => {
      const recipients = to.map((device) => device());
      return mail(n, sender(), recipients, { digest, size, at: NOW + age });
    });
    return store.mailboxes.append(mails, rules);
  });
/** Many appends of their own, so that mailboxes get deep. */
const fill: fc.Arbitrary<Step> = fc
  .record({ from: fc.nat(9), device: aDevice, sender: aSender })
  .map(({ from, device, sender }) => async (store) => {
    for (let i = 0; i < 20; i++)
      await store.mailboxes.append([mail(1_000 + from * 20 + i, sender(), [device()])], ROOMY);
  });
const acknowledge: fc.Arbitrary<Step> = fc
  .array(
    fc.record({
      device: aDevice,
      session: fc.nat(3),
      upTo: fc.oneof(fc.nat(30), fc.constant(0), fc.constant(1e9)),
    }),
    { maxLength: 4 },
  )
  .map((batch) => (store) => store.mailboxes.acknowledge(batch.map((entry) => ({ ...entry, device: entry.device() }))));
const claim: fc.Arbitrary<Step> = fc.record({ device: aDevice, session: fc.nat(3) }).map(
  ({ device, session }) =>
    (store) =>
      store.mailboxes.claimSession(device(), session),
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
        store.mailboxes.read(device(), { after, messages, bytes, horizon: NOW + age }).then(legiblePage),
  );
/** Of a page that others follow, how far all is settled is the adapter's to say. */
function legiblePage(page: MailboxPage): unknown {
  return legible(page.end ? page : { ...page, settledSeq: 0 });
}
const expire: fc.Arbitrary<Step> = fc.nat(300).map((age) => (store) => store.mailboxes.expire(NOW + age, MANY));
const remove: fc.Arbitrary<Step> = aDevice.map((device) => (store) => store.devices.remove(device(), NOW));

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

/** `runs` sequences; an adapter that asks a server for each step has fewer of them. */
export function modelContract(open: OpenStore, runs = 60): void {
  describe('mailboxes', () => {
    it('answer any sequence of calls as the memory store does', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (sequence) => {
          nameAnew();
          const opened = await open();
          const [store, twin] = [opened.store, openMemoryStore()].map((one) => ({
            ...one,
            mailboxes: numberedByOne(one.mailboxes),
          })) as [Store, Store];
          try {
            const devices = await people(store, ALICE, DEVICES);
            await people(twin, ALICE, DEVICES);
            for (const step of sequence) {
              expect(await step(store)).toEqual(await step(twin));
              for (const device of devices)
                expect(await store.mailboxes.usage(device)).toEqual(await twin.mailboxes.usage(device));
            }
            for (const device of devices)
              expect(legible(await readAll(store, device))).toEqual(legible(await readAll(twin, device)));
          } finally {
            await opened.close();
          }
        }),
        { seed: 20_260_801, numRuns: runs },
      );
    }, 120_000);
  });
}
