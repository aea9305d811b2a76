import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  ALICE,
  accepted,
  BOB,
  deviceId,
  mail,
  people,
  REPEATED,
  ROOMY,
  readAll,
  seqsIn,
  upTo,
} from '../../contract/fixture.ts';
import { openLmdbStore } from '../../lmdb.ts';
import type { Store } from '../../port.ts';
import { copyOf, JOURNAL } from '../../testing/power-cut.ts';
import { openEnvironment } from '../environment.ts';
import { RingFile } from './ring-file.ts';

const RING_BYTES = 64 << 10;
const BOB_PHONE = deviceId(BOB, 1);

let path: string;
let folders: string[];
let stores: Store[];

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sealwire-log-'));
  folders = [path];
  stores = [];
});

afterEach(async () => {
  for (const store of stores) await store.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function open(folder = path, logBytes = RING_BYTES): Promise<Store> {
  const store = await openLmdbStore({ path: folder, logBytes });
  stores.push(store);
  return store;
}

function copied(files?: readonly string[]): string {
  const copy = copyOf(path, files);
  folders.push(copy);
  return copy;
}

async function openWithDevices(count: number, logBytes = RING_BYTES): Promise<{ store: Store; to: DeviceId[] }> {
  const store = await open(path, logBytes);
  return { store, to: await people(store, ALICE, count) };
}

const send = (store: Store, n: number, to: readonly DeviceId[], size = 10) =>
  store.mailboxes.append([mail(n, BOB_PHONE, to, { size })], ROOMY).then(([result]) => result);

describe('the ring', () => {
  it('never gets longer than its capacity, though it goes round many times, and all stays readable', async () => {
    const { store, to } = await openWithDevices(2);
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => send(store, round * 50 + i, to, 200)));
      expect(statSync(join(path, JOURNAL)).size).toBeLessThanOrEqual(RING_BYTES);
      // One of the two is there and acknowledges.
      await store.mailboxes.acknowledge([upTo(to[1] as DeviceId, round * 50 + 25)]);
    }
    const { mails } = await readAll(store, to[0] as DeviceId);
    expect(mails.map(({ seq, bytes }) => [seq, bytes[0], bytes.length])).toEqual(
      Array.from({ length: 1_000 }, (_, i) => [i + 1, i % 256, 200]),
    );
    expect(await seqsIn(store, to[1] as DeviceId)).toEqual(Array.from({ length: 25 }, (_, i) => 976 + i));
  });

  it('takes again after it was filled to its last byte at once', async () => {
    const { store, to } = await openWithDevices(1);
    // Twelve pages of sixteen: nothing is overdue yet. Then the four that are left.
    await send(store, 1, to, 12 * 4_096 - 600);
    await send(store, 2, to, 4 * 4_096 - 600);
    const { size } = statSync(join(path, JOURNAL));
    expect(size).toBeGreaterThan(RING_BYTES - 4_096);
    const before = readFileSync(join(path, JOURNAL));
    for (let n = 3; n < 10; n++) await send(store, n, to);
    expect(readFileSync(join(path, JOURNAL)).equals(before)).toBe(false);
    expect(await seqsIn(store, to[0] as DeviceId)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('does not mind messages that are larger than all of it', async () => {
    const { store, to } = await openWithDevices(1);
    for (let n = 1; n <= 6; n++)
      expect(await send(store, n, to, n % 2 === 0 ? 100_000 : 10)).toMatchObject({ seqs: [n] });
    expect((await readAll(store, to[0] as DeviceId)).mails.map(({ bytes }) => bytes.length)).toEqual([
      10, 100_000, 10, 100_000, 10, 100_000,
    ]);
  });

  it('judges a batch anew when LMDB has to write it: what was accepted the first time is not known yet', async () => {
    const { store, to } = await openWithDevices(2, 0);
    const [full, other] = to as [DeviceId, DeviceId];
    await store.mailboxes.append([mail(1, BOB_PHONE, [full])], ROOMY);
    const limits = { ...ROOMY, messages: 1 };
    const [first, second] = [mail(2, BOB_PHONE, [full]), mail(2, BOB_PHONE, [other], { digest: 3 })];
    expect(await store.mailboxes.append([first, second], limits)).toEqual([
      { status: 'full', devices: [full] },
      accepted(1),
    ]);
  });
});

describe('a mailbox whose head is put while messages are only in the log', () => {
  it('keeps its numbers when the log repeats a message that was acknowledged in the turn of the next one', async () => {
    const { store, to } = await openWithDevices(1);
    const [device] = to as [DeviceId];
    await Promise.all([send(store, 1, to), store.mailboxes.acknowledge([upTo(device, 1)]), send(store, 2, to)]);
    await store.mailboxes.claimSession(device, 1);
    expect(await seqsIn(store, device)).toEqual([2]);
    const again = await open(copied());
    expect(await seqsIn(again, device)).toEqual([2]);
    expect(await send(again, 3, to)).toEqual(accepted(3));
  });
});

describe('a folder that was closed', () => {
  it('is whole without its log, and gets a new one', async () => {
    const { store, to } = await openWithDevices(2);
    for (let n = 1; n <= 30; n++) await send(store, n, to, 1_000);
    await store.mailboxes.acknowledge([upTo(to[0] as DeviceId, 20)]);
    await store.close();
    const again = await open(copied(['data.mdb']));
    expect(await seqsIn(again, to[0] as DeviceId)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
    expect(await seqsIn(again, to[1] as DeviceId)).toHaveLength(30);
    expect(await send(again, 7, to, 1_000)).toEqual(REPEATED);
    expect(await send(again, 31, to)).toEqual(accepted(31, 31));
    expect(await seqsIn(again, to[0] as DeviceId)).toContain(31);
  });
});

describe('after a power cut', () => {
  it('every accepted message is there under its number, ids are remembered, and it goes on', async () => {
    const { store, to } = await openWithDevices(2);
    for (let n = 1; n <= 100; n++) {
      expect(await send(store, n, to, 700)).toEqual(accepted(n, n));
      if (n % 10 !== 0) continue;
      const again = await open(copied());
      expect(await seqsIn(again, to[1] as DeviceId)).toEqual(Array.from({ length: n }, (_, i) => i + 1));
      expect((await readAll(again, to[0] as DeviceId)).mails.at(-1)?.bytes[0]).toBe(n);
      for (const old of [1, n - 1, n]) expect(await send(again, old, to, 700)).toEqual(REPEATED);
      for (const next of [n + 1, n + 2]) expect(await send(again, next, to)).toEqual(accepted(next, next));
    }
  });

  it.each(['a page that was not written', 'an end that is missing'])(
    'that left %s of the newest flight: all before it is there, and numbers go on without a hole',
    async (what) => {
      const { store, to } = await openWithDevices(1, 1 << 20);
      for (let n = 1; n <= 5; n++) await send(store, n, to, 5_000);
      // What says that it was durable was not on the disk, because it was not.
      const copy = copied(['data.mdb', JOURNAL]);
      const file = join(copy, JOURNAL);
      // The newest is the last of the file, which has not gone round yet.
      const { size } = statSync(file);
      if (what.includes('page')) writeFileSync(file, readFileSync(file).fill(0, size - 4_096));
      else truncateSync(file, size - 4_096);
      const again = await open(copy);
      expect(await seqsIn(again, to[0] as DeviceId)).toEqual([1, 2, 3, 4]);
      // Its answer never came: the sender repeats.
      expect(await send(again, 5, to, 5_000)).toEqual(accepted(5));
      expect(await send(again, 6, to, 5_000)).toEqual(accepted(6));
      expect(await send(again, 4, to, 5_000)).toEqual(REPEATED);
      await again.close();
      expect(await seqsIn(await open(copy), to[0] as DeviceId)).toEqual([1, 2, 3, 4, 5, 6]);
    },
  );
});

describe('a disk that does not keep what it took', () => {
  it('makes everything unavailable that the log is asked for, also later when the disk seems well', async () => {
    const { store, to } = await openWithDevices(1);
    await send(store, 1, to);
    const sync = jest.spyOn(RingFile.prototype, 'sync');
    sync.mockRejectedValueOnce(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }));
    const unavailable = { name: 'StoreError', kind: 'unavailable', retryable: true };
    await expect(send(store, 2, to)).rejects.toMatchObject(unavailable);
    sync.mockRestore();
    await expect(send(store, 3, to)).rejects.toMatchObject(unavailable);
    await expect(seqsIn(store, to[0] as DeviceId)).rejects.toMatchObject(unavailable);
    await expect(store.probe()).rejects.toMatchObject(unavailable);
    await store.close();
    // What was accepted is there; of the other one nobody knows.
    expect((await seqsIn(await open(), to[0] as DeviceId))[0]).toBe(1);
  });
});

describe('segments that are acknowledged in the log', () => {
  it.each([3, 20])('leave nothing behind: %i of them', async (count) => {
    const { to } = await openWithDevices(1);
    const [device] = to as [DeviceId];
    for (let n = 0; n < count; n++) {
      // Closing takes all over, so that each message is a segment.
      await (stores.at(-1) as Store).close();
      await send(await open(), n, to, 2_000);
    }
    const store = stores.at(-1) as Store;
    await store.mailboxes.acknowledge([upTo(device, count)]);
    expect(await store.mailboxes.usage(device)).toEqual({ messages: 0, bytes: 0 });
    await store.close();
    const { databases, close } = openEnvironment(path);
    const keys = databases.mailboxes.getKeysCount();
    await close();
    expect(keys).toBe(1);
  });
});
