/** A file of the disk as something to upload. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { openDiskFile } from './disk-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-disk-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece.slice());
  return Buffer.concat(all);
}

it.each([0, 1, 3_000_000])('of %i bytes is read as it is, and again', async (size) => {
  const path = join(folder, 'file');
  const bytes = Buffer.from(seededRandom(3)(size));
  writeFileSync(path, bytes);
  const file = await openDiskFile(path);
  expect(file.size).toBe(size);
  for (let time = 0; time < 2; time++) expect((await collect(file.read())).equals(bytes)).toBe(true);
  await file.close();
});

it('stays the same file when its name is given to another one', async () => {
  const [path, other] = [join(folder, 'file'), join(folder, 'other')];
  writeFileSync(path, 'before');
  writeFileSync(other, 'after, and longer');
  const file = await openDiskFile(path);
  renameSync(other, path);
  expect(String(await collect(file.read()))).toBe('before');
  await file.close();
});

it('that is a folder, or none, is refused by what the system says', async () => {
  await expect(openDiskFile(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(openDiskFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});
