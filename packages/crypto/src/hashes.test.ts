/** SHA-2 (FIPS 180-4 examples), HMAC-SHA-512 (RFC 4231), HKDF (the inputs of RFC 5869 appendix A, with SHA-512), equality. */
import { describe, expect, it } from '@jest/globals';
import { hexToBytes as hex, utf8ToBytes as utf8 } from '@noble/hashes/utils.js';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';

/** RFC 5869 writes its inputs as counting bytes. */
const counting = (from: number, length: number) => Uint8Array.from({ length }, (_, i) => from + i);
const repeated = (byte: number, length: number) => new Uint8Array(length).fill(byte);

const SHA = [
  {
    message: '',
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    sha512:
      'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
  },
  {
    message: 'abc',
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    sha512:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  },
];

const HMAC = [
  {
    title: 'case 1',
    key: repeated(0x0b, 20),
    data: utf8('Hi There'),
    tag: '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
  },
  {
    title: 'case 2',
    key: utf8('Jefe'),
    data: utf8('what do ya want for nothing?'),
    tag: '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  },
  {
    title: 'case 3',
    key: repeated(0xaa, 20),
    data: repeated(0xdd, 50),
    tag: 'fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb',
  },
  {
    title: 'case 4',
    key: counting(1, 25),
    data: repeated(0xcd, 50),
    tag: 'b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd',
  },
  {
    title: 'case 6, key longer than a block',
    key: repeated(0xaa, 131),
    data: utf8('Test Using Larger Than Block-Size Key - Hash Key First'),
    tag: '80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598',
  },
  {
    title: 'case 7, key and data longer than a block',
    key: repeated(0xaa, 131),
    data: utf8(
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
        'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    tag: 'e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58',
  },
];

const HKDF = [
  {
    title: 'A.1',
    salt: counting(0, 13),
    key: repeated(0x0b, 22),
    info: counting(0xf0, 10),
    output: '832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb',
  },
  {
    title: 'A.2, longer than a block',
    salt: counting(0x60, 80),
    key: counting(0, 80),
    info: counting(0xb0, 80),
    output:
      'ce6c97192805b346e6161e821ed165673b84f400a2b514b2fe23d84cd189ddf1b695b48cbd1c8388441137b3ce28f16aa64ba33ba466b24df6cfcb021ecff235f6a2056ce3af1de44d572097a8505d9e7a93',
  },
  {
    title: 'A.3, without salt and info',
    salt: new Uint8Array(),
    key: repeated(0x0b, 22),
    info: new Uint8Array(),
    output: 'f5fa02b18298a72a8c23898a8703472c6eb179dc204c03425c970e3b164bf90fff22d04836d0e2343bac',
  },
];

describe.each([nobleCrypto(), nodeCrypto()])('hashes of $name', (crypto) => {
  it.each(SHA)('SHA-256 and SHA-512 of "$message"', ({ message, sha256, sha512 }) => {
    expect(crypto.sha256(utf8(message))).toEqual(hex(sha256));
    expect(crypto.sha512(utf8(message))).toEqual(hex(sha512));
  });

  it.each(HMAC)('F12: HMAC-SHA-512, RFC 4231 $title', ({ key, data, tag }) => {
    expect(crypto.hmacSha512(key, data)).toEqual(hex(tag));
  });

  it.each(HKDF)('F12: HKDF-SHA-512, inputs of RFC 5869 $title', ({ salt, key, info, output }) => {
    expect(crypto.hkdfSha512(salt, key, info, output.length / 2)).toEqual(hex(output));
  });

  it('HKDF gives up to 255 blocks and not one byte more', () => {
    const none = new Uint8Array();
    expect(crypto.hkdfSha512(none, none, none, 255 * 64)).toHaveLength(255 * 64);
    expect(crypto.hkdfSha512(none, none, none, 0)).toHaveLength(0);
    for (const [length, code] of [
      [255 * 64 + 1, 'output-too-long'],
      [-1, 'bad-length'],
      [1.5, 'bad-length'],
      [Number.NaN, 'bad-length'],
    ] as const) {
      expect(() => crypto.hkdfSha512(none, none, none, length)).toThrow(expect.objectContaining({ code }));
    }
  });

  it('S78: equality looks at every byte and at the length', () => {
    const secret = counting(1, 32);
    expect(crypto.equal(secret, secret.slice())).toBe(true);
    expect(crypto.equal(new Uint8Array(), new Uint8Array())).toBe(true);
    expect(crypto.equal(secret, secret.subarray(1))).toBe(false);
    for (let i = 0; i < secret.length; i++) {
      const other = secret.slice();
      other[i]! ^= 0x80;
      expect(crypto.equal(secret, other)).toBe(false);
    }
  });
});
