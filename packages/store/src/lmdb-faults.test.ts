/** What the LMDB store promises when its process dies, and when the disk is full. */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { openLmdbStore } from './lmdb.ts';
import type { Store } from './port.ts';
import { Child } from './testing/child.ts';
import { DEVICES, LIMITS_FOR_ALL, numbered, numbersIn, populate } from './testing/messages.ts';

let path: string;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'sealwire-faults-'));
});

afterEach(async () => {
  await rm(path, { recursive: true });
});

async function withStore<Result>(use: (store: Store) => Promise<Result>, logBytes?: number): Promise<Result> {
  const store = await openLmdbStore({ path, ...(logBytes !== undefined && { logBytes }) });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

describe('kill -9', () => {
  it.each([
    ['', undefined],
    [', also when the log is short', 64 << 10],
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
});

describe('a full disk', () => {
  it('C10: refuses with unavailable, keeps what was accepted readable, and goes on once there is space', async () => {
    // The limit of a file's size stands for the disk's: 900 KiB, less than the probe.
    const child = new Child('until-full.ts', [path], 'ulimit -f 900;');
    const lines = await child.rest();
    expect(lines.filter((line) => line.startsWith('full'))).toEqual(['full true true']);
    expect(lines.filter((line) => line.startsWith('error'))).toEqual(Array(2).fill('error unavailable of one line'));
    expect(lines).toContain('probe no space left on the disk of the store');
    // The driver says nothing of its own.
    expect(child.errors).not.toMatch(/Error:|\n\s+at /);
    expect(readdirSync(path).filter((name) => name.includes('probe'))).toEqual([]);
    const held = lines.filter((line) => line.startsWith('held')).map((line) => line.split(' ').slice(1).map(Number));
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
