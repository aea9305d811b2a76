import fs, { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientError } from '@sealwire/client/errors';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { placeFor, type SaveOptions, saveFile } from './save-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-save-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const random = seededRandom(1);
const options = (more: Partial<SaveOptions> = {}): SaveOptions => ({
  force: false,
  random,
  signal: new AbortController().signal,
  ...more,
});

async function* pieces(...parts: readonly (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield part;
  }
}
const bytes = (length: number) => new Uint8Array(length).fill(7);
const usage = (text: string) => expect.objectContaining({ ending: 'usage', message: expect.stringContaining(text) });

describe('the place of a received file', () => {
  it.each([
    '../secret',
    '/etc/passwd',
    'a/b',
    'a\\b',
    '..',
    '',
    'C:evil',
    'nul',
    'COM1.txt',
    'x\u001b[2J',
    'photo\u202egpj.exe',
    'two\nlines',
    '.bashrc',
    '-rf',
  ])('T138: is never where its sender would have it: %j', (name) => {
    expect(() => placeFor(undefined, name, true)).toThrow(usage('no safe name: give another one with -o'));
    expect(placeFor(join(folder, 'mine'), name, false)).toBe(join(folder, 'mine'));
  });

  it('is the name that it came with, here', () => {
    expect(placeFor(undefined, 'no such file.jpg', false)).toBe('no such file.jpg');
  });

  it('is no folder, no device, no folder that there is not, and nothing that is there', () => {
    const [there, dangling, away] = ['there', 'dangling', 'folder-elsewhere'].map((name) => join(folder, name));
    writeFileSync(there!, 'mine');
    symlinkSync(join(folder, 'nowhere'), dangling!);
    symlinkSync(folder, away!);
    for (const force of [false, true]) {
      expect(() => placeFor(folder, 'x', force)).toThrow(usage('names a folder'));
      expect(() => placeFor(away, 'x', force)).toThrow(usage('names a folder'));
      for (const none of ['', `${join(folder, 'new')}/`])
        expect(() => placeFor(none, 'x', force)).toThrow(usage('names a folder'));
      expect(() => placeFor(join(folder, 'n'.repeat(256)), 'x', force)).toThrow(usage('ENAMETOOLONG'));
      expect(() => placeFor(join(folder, 'no', 'x'), 'x', force)).toThrow(usage('there is no folder'));
    }
    expect(() => placeFor('/dev/null', 'x', true)).toThrow(usage('is no file'));
    for (const path of [there, dangling]) {
      expect(() => placeFor(path, 'x', false)).toThrow(usage('--force'));
      expect(placeFor(path, 'x', true)).toBe(path);
    }
  });
});

describe('a file that is saved', () => {
  it('is there under its name at the end only, and nothing else', async () => {
    const path = join(folder, 'photo.jpg');
    async function* watched() {
      yield bytes(100);
      expect(readdirSync(folder)).not.toContain('photo.jpg');
      yield bytes(3_000_000);
    }
    await saveFile(path, watched(), options());
    expect(readdirSync(folder)).toEqual(['photo.jpg']);
    expect(Buffer.compare(readFileSync(path), bytes(3_000_100))).toBe(0);
    await saveFile(path, pieces(), options({ force: true }));
    expect(readFileSync(path)).toHaveLength(0);
  });

  it('T137: leaves nothing when its end was not right, or nobody waits for it any more', async () => {
    const wrong = new ClientError('bad-file', 'not the file');
    await expect(saveFile(join(folder, 'x'), pieces(bytes(200_000), wrong), options())).rejects.toBe(wrong);
    const stop = new AbortController();
    async function* endless() {
      for (;;) {
        yield bytes(65_504);
        stop.abort();
      }
    }
    await expect(saveFile(join(folder, 'x'), endless(), options({ signal: stop.signal }))).rejects.toThrow();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('T137: is not overwritten, nor is what came there while it was fetched', async () => {
    const path = join(folder, 'x');
    async function* meanwhile() {
      yield bytes(10);
      writeFileSync(path, 'mine');
    }
    await expect(saveFile(path, meanwhile(), options())).rejects.toEqual(usage('is there already'));
    expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['x'], 'mine']);
  });

  it('G11: on a disk that fills in the middle is one line, and leaves nothing', async () => {
    const full: SaveOptions['fs'] = {
      ...fs,
      write: (...args: unknown[]) => {
        const done = args.at(-1) as (error: Error) => void;
        done(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }));
      },
      writev: (...args: unknown[]) => {
        const done = args.at(-1) as (error: Error) => void;
        done(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }));
      },
    } as never;
    const saving = saveFile(join(folder, 'x'), pieces(bytes(100_000), bytes(100_000)), options({ fs: full }));
    await expect(saving).rejects.toMatchObject({
      ending: 'failure',
      message: expect.stringContaining(`there is no room for ${join(folder, 'x')} (ENOSPC)`),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('where one may not write is a mistake, in one line', async () => {
    mkdirSync(join(folder, 'sub'));
    const path = join(folder, 'sub', 'x');
    rmSync(join(folder, 'sub'), { recursive: true });
    await expect(saveFile(path, pieces(bytes(1)), options())).rejects.toEqual(usage('cannot be written (ENOENT)'));
  });
});
