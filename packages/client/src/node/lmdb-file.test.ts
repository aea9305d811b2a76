import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { FolderStorage } from './folder-storage.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealwire-lmdb-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a data file that is none', () => {
  it.each([
    ['of other bytes', (good: Buffer) => Buffer.from(good).fill(0x5a)],
    ['of zeros', (good: Buffer) => Buffer.alloc(good.length)],
    ['cut off in its first page', (good: Buffer) => good.subarray(0, 1_000)],
    ['with a damaged second meta page', (good: Buffer) => Buffer.from(good).fill(0x5a, 4_096, 8_192)],
  ])('%s is refused, left as it is, and its folder unlocked', async (what, damage) => {
    const path = join(folder, what);
    const storage = FolderStorage.open(path);
    await storage.write([{ key: 'a', value: Uint8Array.of(1) }]);
    await storage.close();

    const file = join(path, 'records.lmdb');
    const good = readFileSync(file);
    writeFileSync(file, damage(good));
    for (let attempt = 0; attempt < 2; attempt++)
      expect(() => FolderStorage.open(path)).toThrow(
        expect.objectContaining({ code: 'corrupt', message: expect.not.stringContaining('backup') }),
      );
    expect(readFileSync(file)).toEqual(damage(good));

    writeFileSync(file, good);
    const again = FolderStorage.open(path);
    expect(await again.load()).toEqual(new Map([['a', Uint8Array.of(1)]]));
    await again.close();
  });
});
