import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { ALICE, accepted, BOB, deviceId, mail, NOW, people, REPEATED, ROOMY } from '../../contract/fixture.ts';
import { openLmdbStore } from '../../lmdb.ts';
import type { MailboxLimits, Store } from '../../port.ts';
import { openEnvironment } from '../environment.ts';

const SENDER = deviceId(BOB, 1);

let path: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sealwire-ids-'));
});

afterEach(() => rmSync(path, { recursive: true }));

async function withStore(use: (store: Store) => Promise<unknown>): Promise<void> {
  const store = await openLmdbStore({ path, logBytes: 64 << 10 });
  await use(store);
  await store.close();
}

const remembering = (ms: number, messages: number): MailboxLimits => ({ ...ROOMY, memory: { ms, messages } });

/** Messages to nobody, four at a time, a second after the others. */
async function send(store: Store, count: number, limits: MailboxLimits): Promise<void> {
  for (let n = 0; n < count; n += 4)
    await store.mailboxes.append(
      [0, 1, 2, 3].map((i) => mail(n + i, SENDER, [], { at: NOW + n * 250 })),
      limits,
    );
}

async function recordsInLmdb(): Promise<number> {
  const { databases, close } = openEnvironment(path);
  const count = databases.accepted.getKeysCount();
  await close();
  return count;
}

describe('message ids', () => {
  it.each([
    ['number', remembering(1e12, 200)],
    ['time', remembering(50_000, 1e12)],
  ])('are forgotten by %s as new ones come, and not the newest', async (_, limits) => {
    await withStore((store) => send(store, 2_000, limits));
    // Fifty records hold what is remembered; others go a few at a time.
    expect(await recordsInLmdb()).toBeLessThanOrEqual(52);
    await withStore(async (store) => {
      expect(await store.mailboxes.append([mail(0, SENDER, [])], limits)).toEqual([accepted()]);
      for (const n of [1_804, 1_900, 1_999])
        expect(await store.mailboxes.append([mail(n, SENDER, [])], limits)).toEqual([REPEATED]);
    });
  });

  it('are remembered for their time after a clock was ten years ahead for one message', async () => {
    const limits = remembering(3_600_000, 1e12);
    await withStore(async (store) => {
      const ahead = NOW + 10 * 365 * 86_400_000;
      await send(store, 40, limits);
      await store.mailboxes.append([mail(5_000, SENDER, [], { at: ahead })], limits);
      await send(store, 2_000, limits);
      for (const n of [0, 4, 1_000, 1_999])
        expect(await store.mailboxes.append([mail(n, SENDER, [], { at: NOW + 500_000 })], limits)).toEqual([REPEATED]);
    });
  });

  it('are found whichever way their commit went, beside those that it overtook, also by a store that is opened again', async () => {
    const batches = Array.from({ length: 30 }, (_, n) =>
      // Every seventh is longer than half of the ring: LMDB has it before those in the log.
      [0, 1, 2].map((i) => mail(3 * n + i, SENDER, [], n % 7 === 3 ? { size: 0, digest: 3 * n + i } : {})),
    ).map((batch, n) => (n % 7 === 3 ? batch.map((one) => ({ ...one, shared: [new Uint8Array(20_000)] })) : batch));
    const repeat = async (store: Store) => {
      for (const batch of batches)
        expect(await store.mailboxes.append(batch, ROOMY)).toEqual(batch.map(() => REPEATED));
    };
    await withStore(async (store) => {
      for (const batch of batches) await store.mailboxes.append(batch, ROOMY);
      await repeat(store);
    });
    await withStore(repeat);
    // Runs of commits share a record; those that went through LMDB have their own.
    expect(await recordsInLmdb()).toBeLessThan(batches.length);
  });

  it('are remembered with the mailboxes that refused, also by a store that is opened again', async () => {
    const limits = { ...ROOMY, messages: 1 };
    let devices: DeviceId[] = [];
    const message = () => mail(2, SENDER, devices);
    await withStore(async (store) => {
      devices = await people(store, ALICE, 3);
      await store.mailboxes.append([mail(1, SENDER, devices.slice(0, 2))], limits);
      const refused = devices.slice(0, 2);
      expect(await store.mailboxes.append([message()], limits)).toEqual([
        { status: 'accepted', seqs: [0, 0, 1], refused },
      ]);
    });
    await withStore(async (store) => {
      const refused = devices.slice(0, 2);
      expect(await store.mailboxes.append([message()], limits)).toEqual([{ status: 'repeated', refused }]);
      expect(await store.mailboxes.append([mail(2, SENDER, devices, { digest: 9 })], limits)).toEqual([
        { status: 'conflict' },
      ]);
    });
  });
});
