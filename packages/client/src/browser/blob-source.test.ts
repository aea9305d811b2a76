/** A `Blob` as something to upload; Node's is the one of browsers. */
import { Blob } from 'node:buffer';
import { expect, it } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { type BlobLike, blobSource } from './blob-source.ts';

it('is read as it is, and again', async () => {
  const bytes = Buffer.from(seededRandom(4)(300_000));
  const source = blobSource(new Blob([bytes]) as BlobLike);
  expect(source.size).toBe(bytes.length);
  for (let time = 0; time < 2; time++) {
    const pieces: Uint8Array[] = [];
    for await (const piece of source.read()) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  }
});

it('is let go of when nobody reads on', async () => {
  let cancelled = 0;
  const reader = {
    read: async () => ({ done: false, value: new Uint8Array(1) }),
    cancel: async () => void cancelled++,
  };
  for await (const _ of blobSource({ size: 2, stream: () => ({ getReader: () => reader }) }).read()) break;
  expect(cancelled).toBe(1);
});
