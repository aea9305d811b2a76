/**
 * Any one damaged byte of the log or of the records of mailboxes, and a log that ends anywhere:
 * each accepted message is delivered as it was, or told of as damaged; no number is given twice; and
 * the mailboxes go on (docs/adr/0023-damage-is-told.md).
 */
import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { ALICE, BOB, deviceId, mail, people, ROOMY, readAll, upTo } from './contract/fixture.ts';
import { openEnvironment } from './lmdb/environment.ts';
import { openLmdbStore } from './lmdb.ts';
import type { Store } from './port.ts';
import { flip } from './testing/damage.ts';
import { copyOf, JOURNAL } from './testing/power-cut.ts';

const SENDER = deviceId(BOB, 1);
const RUNS = { seed: 20_261_128, numRuns: 40, endOnFailure: true };

/** What was accepted: of each mailbox the body of each number. */
type Accepted = Map<DeviceId, Map<number, number>>;

const DEVICES = [1, 2, 3].map((n) => deviceId(ALICE, n));
/** The third one is away: its messages are in segments for the most part. */
const [PRESENT, LATE] = DEVICES as [DeviceId, DeviceId, DeviceId];
const accepted: Accepted = new Map(DEVICES.map((device) => [device, new Map()]));
const acknowledged = new Map<DeviceId, number>();
let folder: string;
let killed: string;
/** Of each byte of a mailbox's record where it is. */
let recordBytes: { readonly key: Buffer; readonly at: number }[];

/** As `kill -9` leaves it: some of it in segments, the newest in the log. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-any-damage-'));
  const store = await openLmdbStore({ path: folder, logBytes: 64 << 10 });
  await people(store, ALICE, 3);
  for (let n = 1; n <= 120; n++) {
    const to = DEVICES.filter((_, i) => n % (i + 1) === 0);
    const [result] = await store.mailboxes.append([mail(n, SENDER, to, { size: 60 + n })], ROOMY);
    if (result?.status !== 'accepted') throw new Error('not accepted');
    for (const [i, device] of to.entries()) accepted.get(device)?.set(result.seqs[i] as number, n);
    if (n % 9 === 0) {
      acknowledged.set(PRESENT, n - 4);
      await store.mailboxes.acknowledge([upTo(PRESENT, n - 4)]);
    }
    if (n === 100) {
      acknowledged.set(LATE, 20);
      await store.mailboxes.acknowledge([upTo(LATE, 20)]);
    }
  }
  killed = copyOf(folder);
  await store.close();
  const looked = copyOf(killed);
  const { databases, close } = openEnvironment(looked);
  recordBytes = [...databases.mailboxes.getRange({})].flatMap(({ key, value }) =>
    Array.from(value, (_, at) => ({ key, at })),
  );
  await close();
  rmSync(looked, { recursive: true });
  expect(recordBytes.length).toBeGreaterThan(2_000);
});

afterAll(() => {
  for (const one of [folder, killed]) rmSync(one, { recursive: true });
});

async function holdsAfter(damage: (copy: string) => unknown): Promise<void> {
  const copy = copyOf(killed);
  await damage(copy);
  let store = await openLmdbStore({ path: copy });
  const reopen = async () => {
    await store.close();
    store = await openLmdbStore({ path: copy });
  };
  try {
    for (const device of DEVICES) await deliversOrTells(store, device);
    const [result] = await store.mailboxes.append([mail(500, SENDER, DEVICES)], ROOMY);
    if (result?.status !== 'accepted') throw new Error('not accepted');
    for (const [i, device] of DEVICES.entries())
      expect(result.seqs[i]).toBeGreaterThan(Math.max(...(accepted.get(device) as Map<number, number>).keys()));
    for (const again of [false, true]) {
      if (again) await reopen();
      for (const [i, device] of DEVICES.entries()) {
        await deliversOrTells(store, device, result.seqs[i]);
        expect((await readAll(store, device)).mails.at(-1)?.seq).toBe(result.seqs[i]);
      }
    }
    await store.mailboxes.acknowledge(DEVICES.map((device) => upTo(device, 1e14)));
    for (const device of DEVICES) {
      expect(await readAll(store, device)).toMatchObject({ mails: [], end: true });
      expect((await readAll(store, device)).gap).toBeUndefined();
      expect(await store.mailboxes.usage(device)).toEqual({ messages: 0, bytes: 0 });
    }
  } finally {
    await store.close();
    rmSync(copy, { recursive: true });
  }
}

/** `added`: the number of the message that came after the damage. */
async function deliversOrTells(store: Store, device: DeviceId, added = 0): Promise<void> {
  const { mails, gap } = await readAll(store, device);
  const sent = accepted.get(device) as Map<number, number>;
  const held = new Map(mails.map(({ seq, bytes }) => [seq, bytes]));
  expect([...held.keys()]).toEqual([...held.keys()].sort((a, b) => a - b));
  for (const [seq, bytes] of held) {
    if (seq === added) continue;
    const n = sent.get(seq) as number;
    expect([seq, bytes.length, new Set(bytes)]).toEqual([seq, 60 + n, new Set([n])]);
  }
  for (const seq of sent.keys()) {
    if (seq <= (acknowledged.get(device) ?? 0) || held.has(seq)) continue;
    expect(gap?.reason).toBe('damaged');
    expect([seq, gap && gap.fromSeq <= seq && seq <= gap.toSeq]).toEqual([seq, true]);
  }
}

async function damageRecord(copy: string, index: number, changed: number): Promise<void> {
  const { root, databases, close } = openEnvironment(copy);
  const { key, at } = recordBytes[index] as { key: Buffer; at: number };
  const value = databases.mailboxes.getBinary(key) as Buffer;
  value[at] = (value[at] as number) ^ changed;
  root.transactionSync(() => databases.mailboxes.putSync(key, value));
  await close();
}

const bits = fc.integer({ min: 1, max: 255 });

it('T87: holds for any damaged byte of the log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(statSync(join(killed, JOURNAL)).size - 1), bits, (at, changed) =>
      holdsAfter((copy) => flip(join(copy, JOURNAL), at, changed)),
    ),
    RUNS,
  );
}, 60_000);

it('T87: holds for a log that ends anywhere', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(statSync(join(killed, JOURNAL)).size - 1), (length) =>
      holdsAfter((copy) => truncateSync(join(copy, JOURNAL), length)),
    ),
    RUNS,
  );
}, 60_000);

it('T88: holds for any damaged byte of the records of mailboxes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(recordBytes.length - 1), bits, (index, changed) =>
      holdsAfter((copy) => damageRecord(copy, index, changed)),
    ),
    RUNS,
  );
}, 60_000);
