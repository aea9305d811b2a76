/**
 * Whatever a store has answered is still so after a power cut: a store that is opened on what the
 * disk had says the same as the memory store, which saw no power cut. The log is short, so that
 * checkpoints go on all the time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { ALICE, BOB, deviceId, LIFE_MS, legible, MANY, mail, NOW, people, ROOMY } from './contract/fixture.ts';
import { openLmdbStore } from './lmdb.ts';
import { openMemoryStore } from './memory.ts';
import type { MailboxLimits, Store } from './port.ts';
import { copyOf } from './testing/power-cut.ts';

const DEVICES = [1, 2, 3].map((n) => deviceId(ALICE, n));
const SENDERS = [BOB, `${BOB}c` as typeof BOB].map((address) => deviceId(address, 1));
const LOG_BYTES = 64 << 10;

type Call = (store: Store) => Promise<unknown>;

const aDevice: fc.Arbitrary<DeviceId> = fc.constantFrom(...DEVICES);
const recipients = fc.uniqueArray(aDevice, { minLength: 1 });
const limits: fc.Arbitrary<MailboxLimits> = fc.record({
  messages: fc.constantFrom(10, 60, 10_000, 10_000, 10_000),
  bytes: fc.constantFrom(30_000, 1 << 26, 1 << 26, 1 << 26),
  lifeMs: fc.constant(LIFE_MS),
  whenFull: fc.constantFrom('refuse', 'trim'),
  memory: fc.constant(ROOMY.memory),
});
const message = fc.record({
  n: fc.nat(2_000),
  sender: fc.constantFrom(...SENDERS),
  digest: fc.constantFrom(1, 1, 1, 2),
  size: fc.constantFrom(0, 1, 10, 100, 700, 2_000, 9_000),
  age: fc.nat(200),
  to: recipients,
});

const append: fc.Arbitrary<Call> = fc
  .record({ batch: fc.array(message, { minLength: 1, maxLength: 8 }), rules: limits })
  .map(({ batch, rules }) => (store) => {
    const mails = batch.map(({ n, sender, digest, size, age, to }) =>
      mail(n, sender, to, { digest, size, at: NOW + age }),
    );
    return store.mailboxes.append(mails, rules);
  });
/** Nearly all that there is at the time, as devices do, or anything. */
const acknowledge: fc.Arbitrary<Call> = fc
  .array(
    fc.record({
      device: aDevice,
      session: fc.constantFrom(3, 3, 3, 0),
      upTo: fc.oneof(fc.nat(100), fc.constantFrom(0, 1e9)),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((batch) => (store) => store.mailboxes.acknowledge(batch));
const acknowledgeUpTo: fc.Arbitrary<Call> = fc
  .record({ device: aDevice, behind: fc.nat(6) })
  .map(({ device, behind }) => async (store) => {
    const { settledSeq } = await store.mailboxes.read(device, { after: 1e9, messages: 1, bytes: 0, horizon: 0 });
    return store.mailboxes.acknowledge([{ device, session: 3, upTo: Math.max(settledSeq - behind, 0) }]);
  });
const claim: fc.Arbitrary<Call> = fc.record({ device: aDevice, session: fc.nat(3) }).map(
  ({ device, session }) =>
    (store) =>
      store.mailboxes.claimSession(device, session),
);
const expire: fc.Arbitrary<Call> = fc.nat(300).map((age) => (store) => store.mailboxes.expire(NOW + age, MANY));

/** Calls of one turn, which share a commit. */
const together: fc.Arbitrary<readonly Call[]> = fc.array(
  fc.oneof({ weight: 6, arbitrary: append }, { weight: 4, arbitrary: acknowledge }, { weight: 1, arbitrary: claim }),
  { minLength: 1, maxLength: 5 },
);
const step = fc.oneof(
  { weight: 12, arbitrary: together },
  { weight: 6, arbitrary: acknowledgeUpTo.map((call) => [call]) },
  { weight: 1, arbitrary: expire.map((call) => [call]) },
  { weight: 2, arbitrary: fc.constant('power cut' as const) },
);

/** All that a mailbox answers, page by page. */
async function said(store: Store, device: DeviceId): Promise<unknown> {
  const pages: unknown[] = [];
  for (let after = 0; ; ) {
    const page = await store.mailboxes.read(device, { after, messages: 20, bytes: 20_000, horizon: NOW });
    pages.push(legible(page));
    const last = page.mails.at(-1);
    if (page.end || !last) break;
    after = last.seq;
  }
  return { usage: await store.mailboxes.usage(device), pages };
}

it('says the same after a power cut, at whatever time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const paths = [mkdtempSync(join(tmpdir(), 'sealwire-crash-'))];
      const twin = openMemoryStore();
      let store = await openLmdbStore({ path: paths[0] as string, logBytes: LOG_BYTES });
      try {
        for (const one of [store, twin]) await people(one, ALICE, DEVICES.length);
        for (const calls of [...steps, 'power cut' as const, steps.find((one) => one !== 'power cut') ?? []]) {
          if (calls === 'power cut') {
            const copy = copyOf(paths.at(-1) as string);
            paths.push(copy);
            await store.close();
            store = await openLmdbStore({ path: copy });
          } else {
            const [found, expected] = [store, twin].map((one) => Promise.all(calls.map((call) => call(one))));
            expect(await found).toEqual(await expected);
          }
          for (const device of DEVICES) expect(await said(store, device)).toEqual(await said(twin, device));
        }
      } finally {
        await store.close();
        for (const path of paths) rmSync(path, { recursive: true });
      }
    }),
    // Shrinking opens a thousand stores.
    { seed: 20_261_128, numRuns: 60, endOnFailure: true },
  );
}, 60_000);
