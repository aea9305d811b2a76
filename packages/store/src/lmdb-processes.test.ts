/** What LMDB promises when processes die, when several share a folder, and when the disk is full. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { openLmdbStore } from './lmdb.ts';
import type { Store } from './port.ts';
import { Child } from './testing/child.ts';
import { DEVICES, LIMITS_FOR_ALL, NOW, numbered, numbersIn, ONE_TIME_KEYS, populate } from './testing/messages.ts';

let path: string;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'sealwire-processes-'));
});

afterEach(async () => {
  await rm(path, { recursive: true });
});

async function withStore<Result>(use: (store: Store) => Promise<Result>, journalBytes?: number): Promise<Result> {
  const store = await openLmdbStore({ path, ...(journalBytes !== undefined && { journalBytes }) });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

describe('kill -9', () => {
  it.each([
    ['', undefined],
    [', also when the journal is short', 64 << 10],
  ])(
    'A01: loses no accepted message, leaves no hole and no half message, and remembers them%s',
    async (_, bytes) => {
      await withStore(populate, bytes);
      const accepted: number[] = [];
      for (const [round, lines] of [20, 75, 160].entries()) {
        const child = new Child('endless-appender.ts', [path, String(round * 1e6)]);
        const said: (string | undefined)[] = [];
        while (said.length < lines) said.push(await child.line());
        // The pipe may end in the middle of a line, which then says nothing.
        for (const line of [...said, ...(await child.kill())]) {
          const [, number] = /^(\d+) accepted$/.exec(line ?? '') ?? [];
          if (number) accepted.push(Number(number));
        }
        await withStore(async (store) => {
          const [first, ...others] = await Promise.all(DEVICES.map((device) => numbersIn(store, device)));
          for (const other of others) expect(other).toEqual(first);
          expect(accepted.filter((number) => !first?.includes(number))).toEqual([]);
          expect(new Set(first).size).toBe(first?.length);
          const repeats = await store.mailboxes.append((first ?? []).map(numbered), LIMITS_FOR_ALL);
          expect(repeats.every(({ status }) => status === 'repeated')).toBe(true);
          const { messages, bytes } = await store.mailboxes.usage(DEVICES[0] as DeviceId);
          expect({ messages, bytes }).toEqual({ messages: first?.length, bytes: (first?.length ?? 0) * 708 });
        });
      }
      expect(accepted.length).toBeGreaterThanOrEqual(20 + 75 + 160);
    },
    60_000,
  );

  it('of a process in the middle of its commits does not stop another one on the same folder', async () => {
    await withStore(async (store) => {
      await populate(store);
      const child = new Child('endless-appender.ts', [path, '0']);
      while (!(await child.line())?.startsWith('30 '));
      await child.kill();
      expect(await store.mailboxes.append([numbered(5_000_000)], LIMITS_FOR_ALL)).toMatchObject([
        { status: 'accepted' },
      ]);
      expect((await numbersIn(store, DEVICES[1] as DeviceId)).at(-1)).toBe(5_000_000);
    });
  }, 60_000);
});

describe('several processes on one folder', () => {
  it.each([
    ['', undefined],
    [', also when the journal is short', 64 << 10],
  ])(
    'give out each sequence number, accept each message and hand out each one-time key once%s',
    async (_, bytes) => {
      const count = 60;
      const claims = 48;
      await withStore(populate, bytes);
      const children = [1, 2, 3].map(
        (n) => new Child('competitor.ts', [path, String(n * 1_000), String(count), String(claims)]),
      );
      for (const child of children) expect(await child.line()).toBe('ready');
      const lines = (await Promise.all(children.map((child) => child.rest()))).flat();

      const accepted = lines.flatMap((line) => {
        const [, number, seqs] = /^message (\d+) accepted (.*)$/.exec(line) ?? [];
        return number ? [{ number: Number(number), seqs: seqs?.split(',').map(Number) ?? [] }] : [];
      });
      // Each one's own, and one of the three tries of each common one.
      expect(accepted).toHaveLength(3 * count + count);
      expect(lines.filter((line) => line.includes(' repeated '))).toHaveLength(2 * count);
      const numbers = accepted.map(({ number }) => number);
      expect(new Set(numbers).size).toBe(4 * count);
      await withStore(async (store) => {
        for (const [i, device] of DEVICES.entries()) {
          const held = await numbersIn(store, device);
          expect(held).toHaveLength(4 * count);
          for (const { number, seqs } of accepted) expect(held[(seqs[i] as number) - 1]).toBe(number);
        }
        expect(await store.prekeys.listOneTime(DEVICES[0] as DeviceId, 'c25519')).toEqual([]);
      });

      const keys = lines.filter((line) => line.startsWith('key ')).map((line) => line.slice(4));
      expect(keys).toHaveLength(3 * claims);
      const taken = keys.filter((key) => key !== 'none').map(Number);
      expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: ONE_TIME_KEYS }, (_, id) => id));
    },
    60_000,
  );

  it('see each other’s writes at once: two stores of one folder take turns', async () => {
    await withStore((one) =>
      withStore(async (other) => {
        await populate(one);
        const [device] = DEVICES as readonly [DeviceId];
        for (let n = 0; n < 40; n++) {
          const [writer, reader] = n % 3 === 0 ? [one, other] : [other, one];
          await writer.mailboxes.append([numbered(n)], LIMITS_FOR_ALL);
          expect((await numbersIn(reader, device)).length).toBe(n + 1);
          expect(await reader.mailboxes.append([numbered(n)], LIMITS_FOR_ALL)).toEqual([{ status: 'repeated' }]);
        }
        await one.mailboxes.acknowledge([{ device, session: 0, upTo: 39, also: [] }]);
        expect(await other.mailboxes.usage(device)).toEqual({ messages: 1, bytes: 708 });
        await other.devices.remove(device, 0);
        expect(await one.devices.find(device)).toBeUndefined();
        expect(await one.mailboxes.append([numbered(99)], LIMITS_FOR_ALL)).toEqual([
          { status: 'unknown', devices: [device] },
        ]);
      }),
    );
  });

  it('know each other’s message ids even after all older ones were forgotten', async () => {
    await withStore((one) =>
      withStore(async (other) => {
        await populate(one);
        await one.mailboxes.append([numbered(1)], LIMITS_FOR_ALL);
        await one.mailboxes.expire(NOW + 2 * LIMITS.repeatMemoryMs.value, 1e12);
        await withStore((late) => late.mailboxes.append([numbered(2)], LIMITS_FOR_ALL));
        for (const store of [one, other])
          expect(await store.mailboxes.append([numbered(2)], LIMITS_FOR_ALL)).toEqual([{ status: 'repeated' }]);
      }),
    );
  });
});

describe('a full disk', () => {
  it('C10: refuses with unavailable, keeps what was accepted readable, and goes on once there is space', async () => {
    // The limit of a file's size stands for the disk's: 4 MiB, in blocks of 1 KiB.
    const lines = await new Child('until-full.ts', [path], 'ulimit -f 4096;').rest();
    expect(lines.slice(0, 2)).toEqual(['error unavailable of one line', 'error unavailable of one line']);
    const held = lines.slice(2).map((line) => line.split(' ').slice(1).map(Number));
    expect(held).toHaveLength(3);
    for (const [accepted, found] of held) expect(found).toBe(accepted);
    await withStore(async (store) => {
      const before = (await numbersIn(store, DEVICES[2] as DeviceId)).length;
      expect(before).toBeGreaterThan(100);
      expect(await store.mailboxes.append([numbered(1e7)], LIMITS_FOR_ALL)).toMatchObject([{ status: 'accepted' }]);
      expect(await numbersIn(store, DEVICES[2] as DeviceId)).toHaveLength(before + 1);
    });
  }, 60_000);
});
