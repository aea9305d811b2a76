import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runSource } from '../testing/source-process.ts';
import { FolderStorage } from './folder-storage.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

let parent: string;
let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sealwire-storage-'));
  folder = join(parent, 'device');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(parent, { recursive: true, force: true });
});

/** Another process that opens `folder` and writes numbers; says each number once it is durable. */
function writer(): { child: ChildProcess; lines: AsyncIterator<string> } {
  const child = runSource('./storage-writer.ts', [folder]);
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() };
}

describe('FolderStorage', () => {
  it('gives back what was written, in the same process and in the next', async () => {
    const storage = FolderStorage.open(folder);
    expect(await storage.load()).toEqual(new Map());
    await storage.write([
      { key: 'a/1', value: bytes(1) },
      { key: 'a/2', value: bytes() },
      { key: 'lime-c25519/device/sip:alice@example.org;gr=urn:uuid:0', value: new Uint8Array(70_000).fill(9) },
    ]);
    await storage.write([{ key: 'a/1' }, { key: 'a/3', value: bytes(3) }]);
    await storage.close();
    const again = FolderStorage.open(folder);
    const records = await again.load();
    expect([...records.keys()].sort()).toEqual([
      'a/2',
      'a/3',
      'lime-c25519/device/sip:alice@example.org;gr=urn:uuid:0',
    ]);
    expect(records.get('a/2')).toEqual(bytes());
    expect(records.get('a/3')).toEqual(bytes(3));
    await again.close();
  });

  it('copies what it is given before the call returns', async () => {
    const storage = FolderStorage.open(folder);
    const value = bytes(1, 2, 3);
    const written = storage.write([{ key: 'a/1', value }]);
    value.fill(0);
    await written;
    expect((await storage.load()).get('a/1')).toEqual(bytes(1, 2, 3));
    await storage.close();
  });

  it('is its owner’s alone, also when the folder was there before', async () => {
    const storage = FolderStorage.open(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    await storage.close();
  });

  it('has no file that others may read, whatever the umask, also where an earlier version left one', async () => {
    const before = process.umask(0);
    try {
      for (let run = 0; run < 2; run++) {
        const storage = FolderStorage.open(folder);
        await storage.write([{ key: 'a/1', value: bytes(1) }]);
        const files = readdirSync(folder);
        expect(files).toEqual(expect.arrayContaining(['records.lmdb', 'records.lmdb-lock']));
        for (const file of files) expect([file, statSync(join(folder, file)).mode & 0o777]).toEqual([file, 0o600]);
        await storage.close();
        for (const file of readdirSync(folder)) chmodSync(join(folder, file), 0o644);
      }
    } finally {
      process.umask(before);
    }
  });

  it('F17: a second owner in the same process is refused, and let in after the first has closed', async () => {
    const first = FolderStorage.open(folder);
    expect(() => FolderStorage.open(folder)).toThrow(
      expect.objectContaining({ code: 'locked', message: expect.stringContaining(`${process.pid}`) }),
    );
    await first.close();
    await first.close();
    const second = FolderStorage.open(folder);
    expect(() => FolderStorage.open(folder)).toThrow('process');
    await second.close();
  });

  it('F17: another process is refused by name; A01: after kill -9 every write that was confirmed is there', async () => {
    const { child, lines } = writer();
    const first = await lines.next();
    expect(first.value).toBe('0');
    expect(() => FolderStorage.open(folder)).toThrow(
      expect.objectContaining({ code: 'locked', message: expect.stringContaining(`process ${child.pid} `) }),
    );
    let confirmed = 0;
    while (confirmed < 50) confirmed = Number((await lines.next()).value);
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let line = await lines.next(); !line.done; line = await lines.next()) confirmed = Number(line.value);
    const storage = FolderStorage.open(folder);
    const records = await storage.load();
    for (let n = 0; n <= confirmed; n++) {
      // Both records of a change, or neither.
      expect(records.get(`n/${n}`)).toEqual(bytes(n & 255));
      expect(records.get(`twice/${n}`)).toEqual(bytes(n & 255));
    }
    await storage.close();
  }, 60_000);

  describe('T182: what was removed', () => {
    const file = () => join(folder, 'records.lmdb');
    const secret = Buffer.from('meet me at the old bridge');
    const values = Array.from({ length: 50 }, (_, n) => ({
      key: `history/${n}`,
      value: new Uint8Array(3_000).fill(n),
    }));

    async function removed(erased: boolean): Promise<number> {
      const storage = FolderStorage.open(folder);
      await storage.write([...values, { key: 'history/x', value: secret }, { key: 'a/1', value: bytes(1) }]);
      await storage.write([{ key: 'history/x' }]);
      const { ino } = statSync(file());
      if (erased) storage.erase();
      await storage.close();
      return ino;
    }

    async function expectTheRest(): Promise<void> {
      const storage = FolderStorage.open(folder);
      expect([...(await storage.load())]).toEqual([['a/1', bytes(1)]]);
      const keys = values.map(({ key }) => key);
      const records = await storage.read([...keys, 'history/x']);
      const hex = (record: Uint8Array | undefined) => record && Buffer.from(record).toString('hex');
      expect(records.map(hex)).toEqual([...values.map(({ value }) => hex(value)), undefined]);
      await storage.close();
    }

    it('is in the file no more when that was asked for, nor in the old one; the rest is as it was', async () => {
      await removed(false);
      expect(readFileSync(file()).includes(secret)).toBe(true);
      const storage = FolderStorage.open(folder);
      storage.erase();
      linkSync(file(), join(parent, 'old'));
      await storage.close();
      expect(readFileSync(file()).includes(secret)).toBe(false);
      const old = readFileSync(join(parent, 'old'));
      expect(old.equals(Buffer.alloc(old.length))).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(expect.not.arrayContaining(['erase', 'records.lmdb.new']));
      if (process.platform !== 'win32') expect(statSync(file()).mode & 0o777).toBe(0o600);
      await expectTheRest();
    });

    it('is erased by the next owner when this one died before', async () => {
      const { child, lines } = writer();
      await lines.next();
      child.kill('SIGKILL');
      await once(child, 'exit');
      writeFileSync(join(folder, 'erase'), '');
      const before = statSync(file()).ino;
      await FolderStorage.open(folder).close();
      expect(statSync(file()).ino).not.toBe(before);
      await FolderStorage.open(folder).close();
      expect(readdirSync(folder)).not.toContain('erase');
    });

    it('stays to be erased when there is no room for another file, and nothing is lost', async () => {
      mkdirSync(join(folder, 'records.lmdb.new', 'in the way'), { recursive: true });
      const before = await removed(true);
      expect(statSync(file()).ino).toBe(before);
      expect(readdirSync(folder)).toContain('erase');
      rmSync(join(folder, 'records.lmdb.new'), { recursive: true });
      await expectTheRest();
      expect(readFileSync(file()).includes(secret)).toBe(false);
    });

    it('makes no new file when nothing was to be erased', async () => {
      const before = await removed(false);
      await expectTheRest();
      expect(statSync(file()).ino).toBe(before);
    });
  });

  it('a folder that cannot be made: one line, and no lock left behind', () => {
    writeFileSync(join(parent, 'file'), '');
    expect(() => FolderStorage.open(join(parent, 'file', 'device'))).toThrow(
      expect.objectContaining({ code: 'storage-failed' }),
    );
  });
});
