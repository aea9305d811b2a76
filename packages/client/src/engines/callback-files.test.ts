/** Files under an engine of callbacks (docs/spec/engines.md section 6). */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { SealedFile } from '@sealwire/wire/file-descriptor';
import { paddedFileSize } from '@sealwire/wire/file-sizes';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { callbackFiles, type FileCallbacks } from './callback-files.ts';

const CHUNK = 65_536;
const SLOT = CHUNK + 4;
const crypto = nodeCrypto();
const bob = parseAccountAddress('sip:bob@example.org');
const random = seededRandom(1);
const failed = { code: 'engine-failed' };
const bad = { code: 'bad-file' };

/** Leaves out zero bytes at the end of a chunk. */
const SHRINKING: FileCallbacks = {
  isEncryptionEnabledForFileTransfer: () => true,
  generateFileKey: () => new Uint8Array(32).fill(7),
  processUploadingFile: ({ chunk }) =>
    chunk.slice(0, chunk.findLastIndex((byte) => byte !== 0) + 1).map((byte) => byte ^ 1),
  processDownloadingFile({ chunk, offset }) {
    const whole = new Uint8Array(Math.min(CHUNK, paddedFileSize(plaintext.length) - offset));
    whole.set(chunk.map((byte) => byte ^ 1));
    return whole;
  },
};
const plaintext = random(3 * CHUNK + 1000).fill(0, CHUNK, CHUNK + 40_000);

async function* pieces(bytes: Uint8Array, length = 50_000) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function join(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk.slice());
  return Buffer.concat(all);
}

const hooksOf = (change: Partial<FileCallbacks> = {}) => callbackFiles('test', { ...SHRINKING, ...change }, crypto);

async function seal(change: Partial<FileCallbacks> = {}) {
  const file = hooksOf(change).encrypt(plaintext.length, pieces(plaintext), bob);
  const bytes = await join(file.bytes());
  return { bytes, file: file.sealed };
}

const open = (file: SealedFile, bytes: Uint8Array, change: Partial<FileCallbacks> = {}) =>
  join(hooksOf(change).decrypt(file, pieces(bytes, 70_001)));

it('comes back, in whole and in parts, though its chunks became smaller, and as long as its size says', async () => {
  const { bytes, file } = await seal();
  expect(bytes).toHaveLength(file.sealedSize);
  expect(file.sealedSize).toBe(paddedFileSize(plaintext.length) + 4 * 4);
  expect((await open(file, bytes)).equals(plaintext)).toBe(true);
  for (const [start, end] of [
    [0, 1],
    [CHUNK - 1, CHUNK + 1],
    [70_000, plaintext.length],
    [5, 5],
  ] as const) {
    const read = (from: number, to: number) => pieces(bytes.subarray(from, to));
    const part = await join(hooksOf().decryptRange(file, read, start, end));
    expect(part.equals(plaintext.subarray(start, end))).toBe(true);
  }
});

describe('an upload ends with the engine’s fault, when', () => {
  it.each<[string, Partial<FileCallbacks>, string]>([
    ['it makes a chunk larger', { processUploadingFile: ({ chunk }) => new Uint8Array(chunk.length + 1) }, 'larger'],
    ['it answers a code', { processUploadingFile: ({ offset, chunk }) => (offset > 0 ? 488 : chunk.slice()) }, '488'],
    ['it skips a chunk', { processUploadingFile: () => -1 }, '-1'],
    ['its key has another length', { generateFileKey: () => new Uint8Array(16) }, '16 bytes'],
  ])('%s', async (_how, change, text) => {
    await expect(seal(change)).rejects.toMatchObject({ ...failed, message: expect.stringContaining(text) });
  });
});

it('is for a conversation, and taken if the engine says so', () => {
  expect(() => hooksOf().encrypt(1, pieces(new Uint8Array(1)), undefined)).toThrow(expect.objectContaining(failed));
  expect(hooksOf().takes!(bob)).toBe(true);
  expect(hooksOf({ isEncryptionEnabledForFileTransfer: () => false }).takes!(bob)).toBe(false);
});

describe('T134: what is not the file that was sent', () => {
  it('never comes to its end: flipped, cut, longer, in another order, with a slot that lies', async () => {
    const { bytes, file } = await seal();
    const flipped = bytes.slice();
    flipped[bytes.length - 1]! ^= 1;
    const lying = bytes.slice();
    lying.writeUInt32BE(CHUNK + 1, SLOT);
    const swapped = Buffer.concat([bytes.subarray(SLOT, 2 * SLOT), bytes.subarray(0, SLOT), bytes.subarray(2 * SLOT)]);
    const longer = Buffer.concat([bytes, Uint8Array.of(0)]);
    for (const wrong of [flipped, lying, swapped, longer, bytes.subarray(0, -1), bytes.subarray(0, 3 * SLOT)])
      await expect(open(file, wrong)).rejects.toMatchObject(bad);
  });

  it('is refused for sizes that lie, and for parts that it does not have or that come short', async () => {
    const { bytes, file } = await seal();
    await expect(open({ ...file, size: file.size + CHUNK }, bytes)).rejects.toMatchObject(bad);
    const range = (start: number, end: number, more: number) =>
      join(hooksOf().decryptRange(file, (from, to) => pieces(bytes.subarray(from, to + more)), start, end));
    for (const [start, end, more] of [
      [-1, 1, 0],
      [0, plaintext.length + 1, 0],
      [2, 1, 0],
      [0, 1, 1],
      [0, 1, -1],
    ] as const)
      await expect(range(start, end, more)).rejects.toMatchObject(bad);
  });

  it('is refused when the engine answers a code, or another length than was sent', async () => {
    const { bytes, file } = await seal();
    await expect(open(file, bytes, { processDownloadingFile: () => 500 })).rejects.toMatchObject(failed);
    const short = { processDownloadingFile: ({ chunk }: { chunk: Uint8Array }) => chunk.slice(1) };
    await expect(open(file, bytes, short)).rejects.toMatchObject(bad);
  });
});
