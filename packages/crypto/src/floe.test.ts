import { webcrypto } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  FLOE_HEADER_BYTES,
  FLOE_SEGMENT_OVERHEAD,
  FloeDecryptor,
  FloeEncryptor,
  type FloeParameters,
  FloeReader,
} from './floe.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { seededRandom } from './testing/seeded-random.ts';
import { webFloePrimitives } from './web.ts';

const PROVIDERS = { noble: nobleCrypto(), node: nodeCrypto(), web: webFloePrimitives(webcrypto.subtle) };
const node = PROVIDERS.node;
const FOLDER = new URL('../vectors/floe/', import.meta.url);
const ANSWERS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('_ct.txt'))
  .map((name) => name.slice(0, -7));
const KEY = new Uint8Array(32);
const AD = new TextEncoder().encode('This is AAD');
const SMALL: FloeParameters = { segmentBytes: 40, rotationBits: 2 };
const ROOM = SMALL.segmentBytes - FLOE_SEGMENT_OVERHEAD;

function hex(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(readFileSync(new URL(`${name}.txt`, FOLDER), 'latin1'), 'hex'));
}

function parametersOf(name: string): FloeParameters {
  const segmentBytes = name.endsWith('_4K') ? 4096 : name.endsWith('_64') ? 64 : 40;
  return { segmentBytes, rotationBits: name.endsWith('rotation') ? 2 : 20 };
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.max(1, Math.ceil(bytes.length / size));
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

async function encrypt(primitives = node, plaintext: Uint8Array, parameters = SMALL): Promise<Uint8Array[]> {
  const floe = await FloeEncryptor.start(primitives, seededRandom(1), KEY, AD, parameters);
  const parts = cut(plaintext, parameters.segmentBytes - FLOE_SEGMENT_OVERHEAD);
  const last = parts.pop()!;
  const segments = [floe.header];
  for (const part of parts) segments.push(await floe.encryptSegment(part));
  return [...segments, await floe.encryptLastSegment(last)];
}

describe.each(Object.entries(PROVIDERS))('FLOE on %s', (_name, primitives) => {
  it.each(ANSWERS)('gives the published answer %s, from either end', async (name) => {
    const parameters = parametersOf(name);
    const bytes = hex(`${name}_ct`);
    const segments = cut(bytes.subarray(FLOE_HEADER_BYTES), parameters.segmentBytes);
    const reader = await FloeReader.start(primitives, KEY, AD, bytes.subarray(0, FLOE_HEADER_BYTES), parameters);
    const online = new FloeDecryptor(reader);
    const forwards: Uint8Array[] = [];
    for (const segment of segments) forwards.push(await online.decryptSegment(segment));
    expect(online.closed).toBe(true);
    expect(Buffer.concat(forwards).equals(hex(`${name}_pt`))).toBe(true);
    for (const [position, segment] of [...segments.entries()].reverse())
      expect(await reader.decryptSegment(segment, position, position === segments.length - 1)).toEqual(
        forwards[position],
      );
  });

  it.each(ANSWERS)('writes the bytes of %s where header and segments get the same IVs', async (name) => {
    const parameters = parametersOf(name);
    const bytes = hex(`${name}_ct`);
    const ivs = [bytes.subarray(10, 42)];
    const segments = cut(bytes.subarray(FLOE_HEADER_BYTES), parameters.segmentBytes);
    for (const segment of segments) ivs.push(segment.subarray(4, 16));
    const floe = await FloeEncryptor.start(primitives, () => ivs.shift()!, KEY, AD, parameters);
    const plaintext = hex(`${name}_pt`);
    const room = parameters.segmentBytes - FLOE_SEGMENT_OVERHEAD;
    const written = [floe.header];
    for (const i of segments.keys()) {
      const part = plaintext.subarray(i * room, (i + 1) * room);
      written.push(await (i === segments.length - 1 ? floe.encryptLastSegment(part) : floe.encryptSegment(part)));
    }
    expect(Buffer.concat(written).equals(bytes)).toBe(true);
  });

  it('refuses another key, other associated data and other parameters at the header', async () => {
    const [header] = await encrypt(node, new Uint8Array(ROOM));
    for (const [key, ad, parameters] of [
      [Uint8Array.of(1, ...KEY.subarray(1)), AD, SMALL],
      [KEY, AD.subarray(1), SMALL],
      [KEY, AD, { ...SMALL, segmentBytes: 41 }],
    ] as const)
      await expect(FloeReader.start(primitives, key, ad, header!, parameters)).rejects.toMatchObject({
        code: 'authentication-failed',
      });
  });
});

describe('FLOE', () => {
  it('has the published answers of five implementations', () => {
    expect(ANSWERS).toHaveLength(17);
  });

  it('opens no segment that is flipped, in another place, or called the last when it is not', async () => {
    const plaintext = seededRandom(2)(5 * ROOM + 3);
    const [header, ...segments] = await encrypt(node, plaintext);
    const reader = await FloeReader.start(node, KEY, AD, header!, SMALL);
    const refusal = { code: 'authentication-failed' };
    for (const [i, segment] of segments.entries()) {
      const last = i === segments.length - 1;
      await expect(reader.decryptSegment(segment, i, !last)).rejects.toMatchObject(refusal);
      for (const elsewhere of segments.keys())
        if (elsewhere !== i)
          await expect(reader.decryptSegment(segment, elsewhere, last)).rejects.toMatchObject(refusal);
      for (const at of segment.keys()) {
        const flipped = segment.slice();
        flipped[at]! ^= 1;
        await expect(reader.decryptSegment(flipped, i, last)).rejects.toMatchObject(refusal);
      }
    }
    for (const at of header!.keys()) {
      const flipped = header!.slice();
      flipped[at]! ^= 1;
      await expect(FloeReader.start(node, KEY, AD, flipped, SMALL)).rejects.toMatchObject(refusal);
    }
  });

  it('gives back any plaintext', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (plaintext) => {
        const [header, ...segments] = await encrypt(node, plaintext);
        const online = new FloeDecryptor(await FloeReader.start(node, KEY, AD, header!, SMALL));
        const parts: Uint8Array[] = [];
        for (const segment of segments) parts.push(await online.decryptSegment(segment));
        expect(new Uint8Array(Buffer.concat(parts))).toEqual(plaintext);
      }),
      { seed: 1 },
    );
  });

  it('takes nothing after the last segment, on either side, and no segment of another length', async () => {
    const floe = await FloeEncryptor.start(node, seededRandom(3), KEY, AD, SMALL);
    await expect(floe.encryptSegment(new Uint8Array(ROOM - 1))).rejects.toMatchObject({ code: 'bad-length' });
    await expect(floe.encryptLastSegment(new Uint8Array(ROOM + 1))).rejects.toMatchObject({ code: 'bad-length' });
    const last = await floe.encryptLastSegment(new Uint8Array(0));
    await expect(floe.encryptLastSegment(new Uint8Array(0))).rejects.toMatchObject({ code: 'closed' });
    await expect(floe.encryptSegment(new Uint8Array(ROOM))).rejects.toMatchObject({ code: 'closed' });
    const online = new FloeDecryptor(await FloeReader.start(node, KEY, AD, floe.header, SMALL));
    await online.decryptSegment(last);
    await expect(online.decryptSegment(last)).rejects.toMatchObject({ code: 'closed' });
  });

  it('keeps the order of the calls when they overlap', async () => {
    const floe = await FloeEncryptor.start(PROVIDERS.web, seededRandom(4), KEY, AD, SMALL);
    const parts = cut(seededRandom(5)(6 * ROOM), ROOM);
    const segments = await Promise.all(
      parts.map((part, i) => (i === 5 ? floe.encryptLastSegment(part) : floe.encryptSegment(part))),
    );
    const online = new FloeDecryptor(await FloeReader.start(node, KEY, AD, floe.header, SMALL));
    for (const [i, segment] of segments.entries()) expect(await online.decryptSegment(segment)).toEqual(parts[i]);
  });
});
