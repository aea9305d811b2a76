import { webcrypto } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { FLOE_HEADER_BYTES, FLOE_SEGMENT_OVERHEAD } from '@sealwire/crypto/floe';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { webFloePrimitives } from '@sealwire/crypto/web';
import type { SealedFile } from '@sealwire/wire/file-descriptor';
import {
  FILE_HEADER_BYTES,
  FILE_SEGMENT_BYTES,
  FILE_SEGMENT_ROOM,
  paddedFileSize,
  sealedFileSize,
} from '@sealwire/wire/file-sizes';
import fc from 'fast-check';
import { decryptFile, decryptRange } from './file-decryption.ts';
import { FileEncryption, type FileParts } from './file-encryption.ts';

const node = nodeCrypto();
const random = seededRandom(1);
const PARTS: FileParts = { floe: node, sha256Stream: node.sha256Stream, random };
const REFUSED = { code: 'bad-file' };

async function* pieces(bytes: Uint8Array, length = bytes.length || 1): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function join(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk.slice());
  return new Uint8Array(Buffer.concat(all));
}

async function seal(plaintext: Uint8Array, parts = PARTS, length?: number) {
  const encryption = new FileEncryption(parts, plaintext.length, pieces(plaintext, length));
  return { bytes: await join(encryption.bytes()), file: encryption.sealed };
}

/** What is handed out before a fault is found. */
async function released(file: SealedFile, bytes: Uint8Array, length?: number) {
  const all: Uint8Array[] = [];
  try {
    for await (const part of decryptFile(PARTS, file, pieces(bytes, length))) all.push(part);
    return { bytes: Buffer.concat(all), fault: undefined };
  } catch (fault) {
    return { bytes: Buffer.concat(all), fault };
  }
}

const three = random(3 * FILE_SEGMENT_ROOM + 1000);

describe('a file', () => {
  it.each([0, 1, 4096, FILE_SEGMENT_ROOM, FILE_SEGMENT_ROOM + 1, 2 * FILE_SEGMENT_ROOM, 300_000])(
    'of %i bytes comes back, as long as its size says, in pieces of any length',
    async (size) => {
      const plaintext = seededRandom(size)(size);
      const { bytes, file } = await seal(plaintext, PARTS, 1000);
      expect(bytes).toHaveLength(file.sealedSize);
      expect(file.digest).toEqual(node.sha256(bytes));
      expect(Buffer.compare(await join(decryptFile(PARTS, file, pieces(bytes, 70_001))), plaintext)).toBe(0);
    },
  );

  it('has the lengths of FLOE', () => {
    expect(FILE_HEADER_BYTES).toBe(FLOE_HEADER_BYTES);
    expect(FILE_SEGMENT_BYTES - FILE_SEGMENT_ROOM).toBe(FLOE_SEGMENT_OVERHEAD);
  });

  it('is the same on noble and on WebCrypto', async () => {
    const plaintext = random(100_000);
    const noble = nobleCrypto();
    const web = webFloePrimitives(webcrypto.subtle);
    const providers: FileParts[] = [noble, web, node].map((floe) => ({
      floe,
      sha256Stream: noble.sha256Stream,
      random,
    }));
    const sealed = await Promise.all(providers.map((parts) => seal(plaintext, { ...parts, random: seededRandom(7) })));
    // The digest is of the bytes.
    for (const { file } of sealed) expect(file).toEqual(sealed[0]!.file);
    for (const parts of providers)
      expect(Buffer.compare(await join(decryptFile(parts, sealed[0]!.file, pieces(sealed[0]!.bytes))), plaintext)).toBe(
        0,
      );
  });

  it('G12: looks like any other of its padded size', async () => {
    const [short, long] = [await seal(new Uint8Array(100_001)), await seal(new Uint8Array(paddedFileSize(100_001)))];
    expect(short.bytes).toHaveLength(long.bytes.length);
  });

  it('that is not as long as was said is not sealed; nor is one twice', async () => {
    for (const said of [4, 6]) {
      const encryption = new FileEncryption(PARTS, said, pieces(new Uint8Array(5)));
      await expect(join(encryption.bytes())).rejects.toMatchObject({ code: 'file-changed' });
      expect(() => encryption.sealed).toThrow(expect.objectContaining(REFUSED));
      await expect(join(encryption.bytes())).rejects.toMatchObject(REFUSED);
    }
    expect(() => new FileEncryption(PARTS, -1, pieces(three))).toThrow(expect.objectContaining(REFUSED));
  });
});

describe('a file that is not the one that was sent', () => {
  it('is refused at every boundary where it is flipped, cut, swapped, repeated or longer, and nothing wrong is handed out', async () => {
    const { bytes, file } = await seal(three);
    const other = await seal(three);
    const bounds = [0, FILE_HEADER_BYTES];
    while (bounds.at(-1)! < bytes.length) bounds.push(Math.min(bytes.length, bounds.at(-1)! + FILE_SEGMENT_BYTES));
    const records = bounds.slice(1).map((end, i) => bytes.subarray(bounds[i], end));
    const spoiled: [string, Uint8Array, number][] = [];
    const room = (record: number) => Math.max(0, record - 1) * FILE_SEGMENT_ROOM;
    for (const [i, record] of records.entries()) {
      const start = bounds[i]!;
      for (const at of [start, start + 3, start + 10, bounds[i + 1]! - 1]) {
        const flipped = bytes.slice();
        flipped[at]! ^= 1;
        spoiled.push([`flip ${at}`, flipped, room(i)]);
      }
      for (const at of [start, start + 1, bounds[i + 1]! - 1])
        spoiled.push([`cut ${at}`, bytes.subarray(0, at), room(i)]);
      const repeated = [...records.slice(0, i + 1), record, ...records.slice(i + 1)];
      spoiled.push([`repeat ${i}`, Buffer.concat(repeated), room(i + 1)]);
      spoiled.push([`leave out ${i}`, Buffer.concat(records.toSpliced(i, 1)), room(i)]);
      const foreign = other.bytes.subarray(start, bounds[i + 1]);
      spoiled.push([`another file's ${i}`, Buffer.concat(records.with(i, foreign)), room(i)]);
      for (let j = i + 1; j < records.length; j++) {
        const swapped = records.with(i, records[j]!).with(j, record);
        spoiled.push([`swap ${i} ${j}`, Buffer.concat(swapped), room(i)]);
      }
    }
    spoiled.push(['append', Buffer.concat([bytes, Uint8Array.of(0)]), three.length - 1]);
    for (const [name, wrong, most] of spoiled)
      for (const length of [undefined, 65_536]) {
        const { bytes: out, fault } = await released(file, wrong, length);
        expect([name, fault]).toEqual([name, expect.objectContaining(REFUSED)]);
        expect([name, out.length <= most]).toEqual([name, true]);
        expect(out.equals(three.subarray(0, out.length))).toBe(true);
      }
  });

  it('G06: another key hands out nothing, another digest never the end', async () => {
    const { bytes, file } = await seal(three);
    const key = await released({ ...file, key: random(32) }, bytes);
    expect(key).toMatchObject({ fault: REFUSED, bytes: { length: 0 } });
    const small = await seal(new Uint8Array(1000));
    const digest = await released({ ...small.file, digest: random(32) }, small.bytes);
    expect(digest).toMatchObject({ fault: REFUSED, bytes: { length: 0 } });
  });

  it('never hands out its end when padding that has a segment of its own is changed or missing', async () => {
    // 100 segments to the byte: Padmé adds to them.
    const plaintext = random(100 * FILE_SEGMENT_ROOM);
    const { bytes, file } = await seal(plaintext);
    const dataEnd = FILE_HEADER_BYTES + 100 * FILE_SEGMENT_BYTES;
    expect(bytes.length).toBeGreaterThan(dataEnd);
    const flipped = bytes.slice();
    flipped[bytes.length - 1]! ^= 1;
    for (const wrong of [flipped, bytes.subarray(0, dataEnd)]) {
      const { bytes: out, fault } = await released(file, wrong, 65_536);
      expect(fault).toMatchObject(REFUSED);
      expect(out.length).toBeLessThan(plaintext.length);
    }
  });

  it('is not read on when it has no end', async () => {
    const { bytes, file } = await seal(three);
    let beyond = 0;
    async function* endless() {
      yield bytes;
      while (beyond++ < 100) yield new Uint8Array(1);
    }
    await expect(join(decryptFile(PARTS, file, endless()))).rejects.toMatchObject(REFUSED);
    expect(beyond).toBe(1);
  });

  it('is refused for a size that lies, before anything is read', async () => {
    const { bytes, file } = await seal(three);
    const lies = { ...file, size: file.size + 100_000 };
    expect(await released(lies, bytes)).toMatchObject({ fault: REFUSED, bytes: { length: 0 } });
    await expect(join(decryptRange(node, lies, () => pieces(bytes), 0, 1))).rejects.toMatchObject(REFUSED);
  });
});

describe('a range of a file', () => {
  it('is the same bytes, by the segments that it is in', async () => {
    const { bytes, file } = await seal(three);
    const at = fc.nat(three.length);
    await fc.assert(
      fc.asyncProperty(at, at, async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        let fetched = 0;
        const read = (from: number, to: number) => {
          fetched += to - from;
          return pieces(bytes.subarray(from, to), 10_000);
        };
        const part = await join(decryptRange(node, file, read, start, end));
        expect(Buffer.compare(part, three.subarray(start, end))).toBe(0);
        expect(fetched).toBeLessThanOrEqual(FILE_HEADER_BYTES + (end - start) + 2 * FILE_SEGMENT_BYTES + 4 * 32);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('is refused beyond the file, and where the store answers another part, too little or too much', async () => {
    const { bytes, file } = await seal(three);
    const read = (from: number, to: number) => pieces(bytes.subarray(from, to));
    for (const [start, end] of [
      [-1, 2],
      [2, 1],
      [0, three.length + 1],
      [0.5, 1],
    ] as const)
      await expect(join(decryptRange(node, file, read, start, end))).rejects.toMatchObject(REFUSED);
    for (const [by, more] of [
      [FILE_SEGMENT_BYTES, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      const wrong = (from: number, to: number) => (from === 0 ? read(0, to) : read(from + by, to + by + more));
      await expect(join(decryptRange(node, file, wrong, 0, 10))).rejects.toMatchObject(REFUSED);
    }
  });
});

// An array buffer that is free is counted until the next collection's sweep: hence two, and the room below the size.
it('memory stays flat for a file of 64 MiB', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const size = 64 * 2 ** 20;
  const piece = new Uint8Array(2 ** 20).fill(7);
  async function* source() {
    for (let sent = 0; sent < size; sent += piece.length) yield piece;
  }
  // The digest is known at the end only; until then it is read by a getter.
  const file = {
    key: node.sha256(piece),
    size,
    sealedSize: sealedFileSize(size),
    get digest(): Uint8Array {
      return encryption.sealed.digest;
    },
  };
  const parts = { ...PARTS, random: (length: number) => (length === 32 ? file.key : random(length)) };
  const encryption = new FileEncryption(parts, size, source());
  collect();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  let count = 0;
  let plain = 0;
  for await (const part of decryptFile(PARTS, file, encryption.bytes())) {
    plain += part.length;
    if (count++ % 64 !== 0) continue;
    collect();
    collect();
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(plain).toBe(size);
  expect(most).toBeLessThan(size / 4);
});
