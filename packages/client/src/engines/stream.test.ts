import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import fc from 'fast-check';
import { decryptChunk, FileEncryption } from './stream.ts';

const crypto = nobleCrypto();
const aead = crypto.aes256gcm;
const file = new FileEncryption(crypto, seededRandom(1));
const { key } = file;
const chunk = (text: string) => new TextEncoder().encode(text);
const texts = ['one', 'two', 'three'];
const sealed = texts.map((text, i) => file.encryptChunk(i, i === texts.length - 1, chunk(text)));

/** Everything that is released before a fault is found; the last chunk there is, is opened as the final one. */
function read(chunks: readonly Uint8Array[]): { released: string[]; fault: boolean } {
  const released: string[] = [];
  try {
    for (const [i, bytes] of chunks.entries())
      released.push(new TextDecoder().decode(decryptChunk(aead, key, i, i === chunks.length - 1, bytes)));
    return { released, fault: false };
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-chunk' });
    return { released, fault: true };
  }
}

describe('STREAM', () => {
  it('gives back what was encrypted', () => {
    expect(read(sealed)).toEqual({ released: texts, fault: false });
  });

  it('has the nonce prefix ‖ u32 index ‖ final under the file’s key', () => {
    const nonce = Uint8Array.of(...key.subarray(32), 0, 0, 0, 2, 1);
    expect(sealed[2]).toEqual(aead.seal(key.subarray(0, 32), nonce, chunk('three'), new Uint8Array(0)));
  });

  it('any list of chunks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6 }),
        (chunks) => {
          const any = new FileEncryption(crypto, seededRandom(3));
          const out = chunks.map((bytes, i) => {
            const final = i === chunks.length - 1;
            return decryptChunk(aead, any.key, i, final, any.encryptChunk(i, final, bytes));
          });
          expect(out).toEqual(chunks);
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });

  const [a, b, c] = sealed as [Uint8Array, Uint8Array, Uint8Array];
  const otherFile = new FileEncryption(crypto, seededRandom(2)).encryptChunk(1, false, chunk('two'));
  it.each<[string, Uint8Array[], number]>([
    ['truncation', [a, b], 1],
    ['truncation within a chunk', [a, b, c.subarray(0, 5)], 2],
    ['reorder', [b, a, c], 0],
    ['a chunk left out', [a, c], 1],
    ['duplicate', [a, a, b, c], 1],
    ['a changed byte', [a, b.with(0, b[0]! ^ 1), c], 1],
    ['a segment of another file', [a, otherFile, c], 1],
    ['two finals', [a, b, c, c], 2],
    ['trailing garbage', [a, b, c, chunk('garbage, longer than a tag')], 2],
    ['a chunk cut short', [a, b.subarray(0, 5), c], 1],
  ])('S57: %s is found, and nothing behind it released', (_name, input, releasedBefore) => {
    expect(read(input)).toEqual({ released: texts.slice(0, releasedBefore), fault: true });
  });

  it('S57: an empty final chunk behind others is refused on both sides; an empty file has one empty chunk', () => {
    expect(() => new FileEncryption(crypto, seededRandom(1)).encryptChunk(1, true, new Uint8Array(0))).toThrow(
      'empty chunk',
    );
    const nonce = Uint8Array.of(...key.subarray(32), 0, 0, 0, 1, 1);
    const forged = aead.seal(key.subarray(0, 32), nonce, new Uint8Array(0), new Uint8Array(0));
    expect(() => decryptChunk(aead, key, 1, true, forged)).toThrow('empty chunk');
    const empty = new FileEncryption(crypto, seededRandom(1)).encryptChunk(0, true, new Uint8Array(0));
    expect(decryptChunk(aead, key, 0, true, empty)).toHaveLength(0);
  });

  it('indexes out of range are refused', () => {
    expect(() => new FileEncryption(crypto, seededRandom(1)).encryptChunk(2 ** 32, false, chunk('x'))).toThrow('2^32');
    expect(() => new FileEncryption(crypto, seededRandom(1)).encryptChunk(-1, false, chunk('x'))).toThrow('2^32');
    expect(new FileEncryption(crypto, seededRandom(1)).encryptChunk(2 ** 32 - 1, true, chunk('x'))).toHaveLength(17);
  });

  it('a chunk that is asked for again has the same bytes, at any time and in any order', () => {
    const again = new FileEncryption(crypto, seededRandom(1));
    for (const i of [2, 0, 1, 0, 2]) expect(again.encryptChunk(i, i === 2, chunk(texts[i]!))).toEqual(sealed[i]);
  });

  it('other content at a place that was used is refused, however little differs, and so is another end', () => {
    const once = new FileEncryption(crypto, seededRandom(4));
    once.encryptChunk(0, false, chunk('content'));
    for (const [final, text] of [
      [false, 'Content'],
      [false, 'conten'],
      [true, 'content'],
    ] as const)
      expect(() => once.encryptChunk(0, final, chunk(text))).toThrow(
        expect.objectContaining({ code: 'chunk-differs', message: expect.stringContaining('part 0') }),
      );
    expect(once.encryptChunk(1, true, chunk('Content'))).toHaveLength(7 + 16);
  });

  it('nobody outside can change the key, and no two files have the same', () => {
    const once = new FileEncryption(crypto, seededRandom(5));
    const given = once.key;
    const encrypted = once.encryptChunk(0, true, chunk('x'));
    once.key.fill(0);
    expect(once.encryptChunk(0, true, chunk('x'))).toEqual(encrypted);
    const random = seededRandom(5);
    expect(new FileEncryption(crypto, random).key).toEqual(given);
    expect(new FileEncryption(crypto, random).key).not.toEqual(given);
  });
});
