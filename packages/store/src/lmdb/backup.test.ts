import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { openLmdbStore } from '../lmdb.ts';
import type { Store } from '../port.ts';
import { Child } from '../testing/child.ts';
import { DEVICES, LIMITS_FOR_ALL, numbered, numbersIn, populate } from '../testing/messages.ts';
import { backupLmdbStore } from './backup.ts';

let path: string;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'sealwire-backup-'));
});

afterEach(async () => {
  await rm(path, { recursive: true });
});

const store = () => join(path, 'store');

function empty(name: string): string {
  mkdirSync(join(path, name));
  return join(path, name);
}

async function withStore<Result>(
  folder: string,
  use: (store: Store) => Promise<Result>,
  logBytes?: number,
): Promise<Result> {
  const opened = await openLmdbStore({
    path: folder,
    whenDamaged: 'stop',
    ...(logBytes !== undefined && { logBytes }),
  });
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

describe('a backup', () => {
  it.each([
    ['', undefined],
    [', also when the log is short and turns over all the time', 256 << 10],
  ])(
    'K12: made while messages come in has all that was accepted before it, and no fault%s',
    async (_, bytes) => {
      await withStore(store(), populate, bytes);
      const child = new Child('endless-appender.ts', [store(), '0']);
      const accepted: number[] = [];
      const hear = async () => {
        const [, number] = /^(\d+) accepted$/.exec((await child.line()) ?? '') ?? [];
        if (number) accepted.push(Number(number));
      };
      for (const round of [1, 2, 3, 4, 5]) {
        while (accepted.length < round * 400) await hear();
        const before = [...accepted];
        const folder = empty(`backup ${round}`);
        const verdict = await backupLmdbStore(store(), folder);
        expect(verdict).toMatchObject({ faults: [], counts: { accounts: 1, devices: 3 } });
        expect(readdirSync(folder).sort()).toEqual(['data.mdb', 'journal.dat', 'journal.mark']);
        await withStore(folder, async (copy) => {
          const [first, ...others] = await Promise.all(DEVICES.map((device) => numbersIn(copy, device)));
          for (const other of others) expect(other).toEqual(first);
          const held = new Set(first);
          expect(before.filter((number) => !held.has(number))).toEqual([]);
          // And it goes on: what it has is known, and what is new is taken.
          expect(await copy.mailboxes.append([numbered(before[0] as number)], LIMITS_FOR_ALL)).toMatchObject([
            { status: 'repeated' },
          ]);
          expect(await copy.mailboxes.append([numbered(1e7)], LIMITS_FOR_ALL)).toMatchObject([{ status: 'accepted' }]);
        });
      }
      await child.kill();
    },
    60_000,
  );

  it('of a store that is stopped, or was killed, is the store', async () => {
    const all = Array.from({ length: 30 }, (_, n) => n);
    await withStore(store(), async (opened) => {
      await populate(opened);
      await opened.mailboxes.append(all.slice(0, 20).map(numbered), LIMITS_FOR_ALL);
    });
    await backupLmdbStore(store(), empty('of stopped'));
    const child = new Child('endless-appender.ts', [store(), '20']);
    for (let line = await child.line(); !line?.startsWith('29 '); ) line = await child.line();
    await child.kill();
    expect((await backupLmdbStore(store(), empty('of killed'))).faults).toEqual([]);
    for (const [name, least] of [
      ['of stopped', 20],
      ['of killed', 30],
    ] as const)
      await withStore(join(path, name), async (copy) => {
        const numbers = await numbersIn(copy, DEVICES[0] as DeviceId);
        expect(all.slice(0, least).filter((n) => !numbers.includes(n))).toEqual([]);
      });
    // Untouched: the killed one opens as it would have.
    await withStore(store(), async (opened) =>
      expect((await numbersIn(opened, DEVICES[0] as DeviceId)).length).toBeGreaterThanOrEqual(30),
    );
  }, 30_000);

  it('of a store whose log is gone says so, and has the rest', async () => {
    await withStore(store(), populate);
    const child = new Child('endless-appender.ts', [store(), '0']);
    for (let n = 0; n < 20; n++) await child.line();
    await child.kill();
    rmSync(join(store(), 'journal.dat'));
    const verdict = await backupLmdbStore(store(), empty('damaged'));
    expect(verdict).toMatchObject({ counts: { accounts: 1 }, faults: [expect.stringContaining('journal.dat')] });
  });

  it('of nothing is refused', async () => {
    await expect(backupLmdbStore(store(), empty('none'))).rejects.toMatchObject({ kind: 'not-found' });
    expect(existsSync(store())).toBe(false);
  });
});
