import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import fc from 'fast-check';
import { ChunkReader, decryptChunk, encryptChunk, newFileKey, parseFileKey } from './stream.ts';
import { seeded } from './testing/seeded.ts';

const crypto = nobleCrypto();
const aead = crypto.aes256gcm;
const key = newFileKey(seeded(crypto, 1));
const chunk = (text: string) => new TextEncoder().encode(text);
const texts = ['one', 'two', 'three'];
const sealed = texts.map((text, i) => encryptChunk(aead, key, i, i === texts.length - 1, chunk(text)));

interface Piece {
  readonly bytes: Uint8Array;
  readonly final: boolean;
}

const pieces: Piece[] = sealed.map((bytes, i) => ({ bytes, final: i === sealed.length - 1 }));

/** Everything that a reader releases before it finds a fault. */
function read(from: readonly Piece[]): { released: string[]; fault: boolean } {
  const reader = new ChunkReader(aead, key);
  const released: string[] = [];
  try {
    for (const { bytes, final } of from) released.push(new TextDecoder().decode(reader.read(bytes, final)));
    reader.end();
    return { released, fault: false };
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-chunk' });
    return { released, fault: true };
  }
}

describe('STREAM', () => {
  it('gives back what was encrypted', () => {
    expect(read(pieces)).toEqual({ released: texts, fault: false });
  });

  it('has the nonce prefix ‖ u32 index ‖ final under the file’s key', () => {
    const nonce = Uint8Array.of(...key.subarray(32), 0, 0, 0, 2, 1);
    expect(sealed[2]).toEqual(aead.seal(key.subarray(0, 32), nonce, chunk('three'), new Uint8Array(0)));
  });

  it('any list of chunks, and no other order of them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6 }),
        (chunks) => {
          const reader = new ChunkReader(aead, key);
          const out = chunks.map((bytes, i) => {
            const final = i === chunks.length - 1;
            return reader.read(encryptChunk(aead, key, i, final, bytes), final);
          });
          reader.end();
          expect(out).toEqual(chunks);
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });

  const [a, b, c] = pieces as [Piece, Piece, Piece];
  const flipped = { ...b, bytes: b.bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) };
  const otherFile = { bytes: encryptChunk(aead, newFileKey(seeded(crypto, 2)), 1, false, chunk('two')), final: false };
  it.each<[string, Piece[], number]>([
    ['truncation', [a, b], 2],
    ['truncation with the last chunk called final', [a, { ...b, final: true }], 1],
    ['reorder', [b, a, c], 0],
    ['a chunk left out', [a, c], 1],
    ['duplicate', [a, a, b, c], 1],
    ['a changed byte', [a, flipped, c], 1],
    ['a segment of another file', [a, otherFile, c], 1],
    ['two finals', [a, b, c, c], 3],
    ['trailing garbage', [a, b, c, { bytes: chunk('garbage, longer than a tag'), final: false }], 3],
    ['the final chunk called not final', [a, b, { ...c, final: false }], 2],
    ['a chunk cut short', [a, { ...b, bytes: b.bytes.subarray(0, 5) }, c], 1],
    ['nothing at all', [], 0],
  ])('S57: %s is found, and nothing behind it released', (_name, input, releasedBefore) => {
    expect(read(input)).toEqual({ released: texts.slice(0, releasedBefore), fault: true });
  });

  it('S57: an empty final chunk behind others is refused on both sides; an empty file has one empty chunk', () => {
    expect(() => encryptChunk(aead, key, 1, true, new Uint8Array(0))).toThrow('empty chunk');
    const nonce = Uint8Array.of(...key.subarray(32), 0, 0, 0, 1, 1);
    const forged = aead.seal(key.subarray(0, 32), nonce, new Uint8Array(0), new Uint8Array(0));
    expect(() => decryptChunk(aead, key, 1, true, forged)).toThrow('empty chunk');
    const reader = new ChunkReader(aead, key);
    expect(reader.read(encryptChunk(aead, key, 0, true, new Uint8Array(0)), true)).toHaveLength(0);
    reader.end();
  });

  it('keys and indexes out of range are refused', () => {
    expect(() => parseFileKey(new Uint8Array(38))).toThrow('39 bytes');
    expect(parseFileKey(key)).toBe(key);
    expect(() => encryptChunk(aead, key, 2 ** 32, false, chunk('x'))).toThrow('2^32');
    expect(() => encryptChunk(aead, key, -1, false, chunk('x'))).toThrow('2^32');
    expect(encryptChunk(aead, key, 2 ** 32 - 1, true, chunk('x'))).toHaveLength(17);
  });
});
