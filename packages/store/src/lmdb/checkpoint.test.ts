import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { ALICE, BOB, deviceId, mail, people, ROOMY, seqsIn, upTo } from '../contract/fixture.ts';
import { openLmdbStore } from '../lmdb.ts';
import type { Store } from '../port.ts';
import { copyOf } from '../testing/power-cut.ts';
import { openEnvironment } from './environment.ts';
import { readRing } from './log/ring-state.ts';
import { decodeHead, type MailboxHead } from './mailboxes/head.ts';
import { prefixedKey } from './records/keys.ts';

const SENDER = deviceId(BOB, 1);

let path: string;
let store: Store;
let devices: DeviceId[];

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), 'sealwire-checkpoint-'));
  store = await openLmdbStore({ path, logBytes: 64 << 10 });
  devices = await people(store, ALICE, 3);
});

afterEach(async () => {
  await store.close();
  rmSync(path, { recursive: true });
});

/** Appends of one kilobyte, several on their way at any time; `look` is called in between. */
async function traffic(count: number, look: (n: number) => unknown): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  for (let n = 0; n < count; n++) {
    underWay.push(store.mailboxes.append([mail(n, SENDER, devices, { size: 1_000 })], ROOMY));
    if (n % 4 === 0) underWay.push(store.mailboxes.acknowledge([upTo(devices[0] as DeviceId, n / 2)]));
    await new Promise((resolve) => setImmediate(resolve));
    await look(n);
  }
  await Promise.all(underWay);
}

describe('a checkpoint', () => {
  it('leaves no head on the disk that knows of an LSN which could be given again', async () => {
    let heads = 0;
    await traffic(200, async () => {
      const copy = copyOf(path);
      const { databases, close } = openEnvironment(copy);
      const { newest } = readRing(databases.journal);
      for (const device of devices) {
        const { lsn } = decodeHead(databases.mailboxes.getBinary(prefixedKey(device)) as Buffer) as MailboxHead;
        if (lsn > 0) heads++;
        expect(lsn).toBeLessThanOrEqual(newest);
      }
      await close();
      rmSync(copy, { recursive: true });
    });
    expect(heads).toBeGreaterThan(0);
  }, 30_000);

  it('runs beside commits and reads: each read finds each accepted message once, in order', async () => {
    const [phone, laptop] = devices as [DeviceId, DeviceId];
    let before: number[] = [];
    await traffic(300, async () => {
      const found = await seqsIn(store, laptop);
      expect(found.slice(0, before.length)).toEqual(before);
      before = found;
    });
    expect(await seqsIn(store, laptop)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect((await seqsIn(store, phone))[0]).toBe(149);
    expect(await store.mailboxes.usage(phone)).toEqual({ messages: 152, bytes: 152_000 });
  });
});
