import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { blobsContract, expectKind, type OpenedBlobs, pattern } from './contract.ts';
import { openFileBlobs } from './files.ts';
import { partsOf } from './parts.ts';
import { BlobError, type Blobs, type ByteRange, type Part, type Streams, type Upload } from './port.ts';

const NOW = 1_800_000_000_000;
const SIZE = 4_096;
const [PART] = partsOf(SIZE) as [Part];

async function* piecesOf(bytes: Uint8Array, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function opened(freeBytes?: () => Promise<number>): Promise<OpenedBlobs & { folder: string; way: Streams }> {
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-blobs-'));
  const options = freeBytes ? { folder, freeBytes } : { folder };
  const blobs = await openFileBlobs(options);
  const way = blobs.way as Streams;
  return {
    blobs,
    folder,
    way,
    async put(upload: Upload, part: Part, bytes: Uint8Array) {
      try {
        await way.writePart(upload, part, piecesOf(bytes));
        return 'sent';
      } catch (error) {
        if (error instanceof BlobError && error.kind === 'refused') return 'refused';
        if (error instanceof BlobError && error.kind === 'not-found') return 'gone';
        throw error;
      }
    },
    async get(id: string, range?: ByteRange) {
      const size = await blobs.size(id);
      if (size === undefined) return undefined;
      const pieces: Uint8Array[] = [];
      for await (const piece of await way.read(id, range ?? { first: 0, last: size - 1 })) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    again: () => openFileBlobs(options),
    async close() {
      await blobs.close();
      await rm(folder, { recursive: true });
    },
  };
}

blobsContract('files', opened, () => NOW);

describe('files in a folder', () => {
  async function begun(blobs: Blobs): Promise<Upload> {
    return { id: 'one', bytes: SIZE, handle: await blobs.begin('one', SIZE, NOW) };
  }

  it('a part that two processes write at the same time is whole', async () => {
    const { blobs, way, again, put, get, close } = await opened();
    const upload = await begun(blobs);
    const other = (await again()).way as Streams;
    const bytes = pattern(SIZE, 1);
    await Promise.all([way, other].map((each) => each.writePart(upload, PART, piecesOf(bytes, 100))));
    expect(await put(upload, PART, bytes)).toBe('sent');
    await blobs.complete(upload);
    expect(Buffer.compare((await get('one'))!, bytes)).toBe(0);
    await close();
  });

  it('a part that breaks off leaves nothing behind, and what there was of it stays', async () => {
    const { blobs, way, folder, close } = await opened();
    const upload = await begun(blobs);
    async function* broken() {
      yield pattern(SIZE / 2, 1);
      throw new Error('the link is gone');
    }
    await expect(way.writePart(upload, PART, broken())).rejects.toThrow('the link is gone');
    expect(await blobs.partsThere(upload)).toEqual([]);
    await way.writePart(upload, PART, piecesOf(pattern(SIZE, 1)));
    await expect(way.writePart(upload, PART, broken())).rejects.toThrow('the link is gone');
    expect(await blobs.partsThere(upload)).toEqual([1]);
    expect((await readdir(join(folder, 'uploads', upload.handle))).sort()).toEqual(['1', 'bytes']);
    await close();
  });

  it('G03: what is still being written of a part when its file becomes whole takes no room in it', async () => {
    const { blobs, way, folder, put, close } = await opened();
    const upload = await begun(blobs);
    await put(upload, PART, pattern(SIZE, 1));
    let goOn = () => {};
    const isWhole = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let hasBegun = () => {};
    const begunWriting = new Promise<void>((resolve) => {
      hasBegun = resolve;
    });
    async function* slow() {
      yield pattern(SIZE - 1, 2);
      hasBegun();
      await isWhole;
      yield pattern(1, 2);
    }
    const late = way.writePart(upload, PART, slow());
    await begunWriting;
    await blobs.complete(upload);
    expect(await readdir(join(folder, 'files', 'on', 'one'))).toEqual(['1', 'bytes']);
    goOn();
    await expectKind(late, 'not-found');
    expect(await readdir(join(folder, 'files', 'on', 'one'))).toEqual(['1', 'bytes']);
    // As of a process that ended before it could tidy.
    await writeFile(join(folder, 'files', 'on', 'one', '1.99.left'), 'x');
    await blobs.complete(upload);
    expect(await readdir(join(folder, 'files', 'on', 'one'))).toEqual(['1', 'bytes']);
    await close();
  });

  it('a disk without room refuses an upload at its begin, and a part in the middle, with what is there kept', async () => {
    let free = 1 << 30;
    const { blobs, way, close } = await opened(async () => free);
    const upload = await begun(blobs);
    free = SIZE;
    await expectKind(blobs.begin('two', SIZE, NOW), 'full');
    await expectKind(way.writePart(upload, PART, piecesOf(pattern(SIZE, 1))), 'full');
    expect(await blobs.partsThere(upload)).toEqual([]);
    free = 1 << 30;
    await way.writePart(upload, PART, piecesOf(pattern(SIZE, 1)));
    await blobs.complete(upload);
    await close();
  });

  it('the system’s own "no space left" is `full`', async () => {
    const { blobs, way, close } = await opened();
    const upload = await begun(blobs);
    const noSpace = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
    async function* untilFull() {
      yield pattern(SIZE / 2, 1);
      throw noSpace;
    }
    await expectKind(way.writePart(upload, PART, untilFull()), 'full');
    await close();
  });

  it('a reader whose file is deleted in the middle gets an error, not a shorter file', async () => {
    const { blobs, way, put, close } = await opened();
    const bytes = PART_SIZE * 2;
    const upload = { id: 'large', bytes, handle: await blobs.begin('large', bytes, NOW) };
    for (const part of partsOf(bytes)) await put(upload, part, pattern(part.bytes, part.number));
    await blobs.complete(upload);
    const reading = (await way.read('large', { first: 0, last: bytes - 1 }))[Symbol.asyncIterator]();
    await reading.next();
    await blobs.delete('large');
    const rest = async () => {
      for (let next = await reading.next(); !next.done; next = await reading.next());
    };
    await expect(rest()).rejects.toThrow('ENOENT');
    await close();
  });

  it('the sweep ends a deletion that a crash interrupted', async () => {
    const { blobs, folder, close } = await opened();
    await writeFile(join(folder, 'leaving', 'left'), 'x');
    await blobs.sweep(NOW);
    expect(await readdir(join(folder, 'leaving'))).toEqual([]);
    await close();
  });

  it('a folder that cannot be used is one line with the fix', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealwire-blobs-'));
    await writeFile(join(folder, 'file'), '');
    await expect(openFileBlobs({ folder: join(folder, 'file') })).rejects.toThrow(
      /cannot be used for files \(ENOTDIR\): give/,
    );
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true });
  });
});

const PART_SIZE = 8 << 20;
