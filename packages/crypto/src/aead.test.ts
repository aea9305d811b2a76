/** AES-256-GCM (the specification's test cases 13 to 16, liblime's 16-byte nonce) and ChaCha20-Poly1305 (RFC 8439 section 2.8.2). */
import { describe, expect, it } from '@jest/globals';
import { hexToBytes as hex, utf8ToBytes as utf8 } from '@noble/hashes/utils.js';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { CryptoError } from './port.ts';

interface Vector {
  readonly title: string;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly associatedData: Uint8Array;
  readonly sealed: Uint8Array;
}

const NONE = new Uint8Array();
const GCM_PLAINTEXT =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255';
const GCM_CIPHERTEXT =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad';
const GCM_KEY = hex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308');

const GCM: readonly Vector[] = [
  {
    title: 'case 13',
    key: new Uint8Array(32),
    nonce: new Uint8Array(12),
    plaintext: NONE,
    associatedData: NONE,
    sealed: hex('530f8afbc74536b9a963b4f1c4cb738b'),
  },
  {
    title: 'case 14',
    key: new Uint8Array(32),
    nonce: new Uint8Array(12),
    plaintext: new Uint8Array(16),
    associatedData: NONE,
    sealed: hex('cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919'),
  },
  {
    title: 'case 15',
    key: GCM_KEY,
    nonce: hex('cafebabefacedbaddecaf888'),
    plaintext: hex(GCM_PLAINTEXT),
    associatedData: NONE,
    sealed: hex(`${GCM_CIPHERTEXT}b094dac5d93471bdec1a502270e3cc6c`),
  },
  {
    title: 'case 16',
    key: GCM_KEY,
    nonce: hex('cafebabefacedbaddecaf888'),
    plaintext: hex(GCM_PLAINTEXT.slice(0, 120)),
    associatedData: hex('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
    sealed: hex(`${GCM_CIPHERTEXT.slice(0, 120)}76fc6ece0f4e1768cddf8853bb2d551b`),
  },
  {
    title: "S35: liblime's 16-byte nonce",
    key: hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
    nonce: hex('202122232425262728292a2b2c2d2e2f'),
    plaintext: utf8('LIME'),
    associatedData: utf8('ad'),
    sealed: hex('8785e9a3282740f01c8216c99348f9d701e286fb'),
  },
];

const CHACHA: readonly Vector[] = [
  {
    title: 'section 2.8.2',
    key: hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
    nonce: hex('070000004041424344454647'),
    plaintext: utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ),
    associatedData: hex('50515253c0c1c2c3c4c5c6c7'),
    sealed: hex(
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
        '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
    ),
  },
];

describe.each([nobleCrypto(), nodeCrypto()])('AEADs of $name', (crypto) => {
  const doors = [
    ...GCM.map((vector) => ({ ...vector, name: 'AES-256-GCM', aead: crypto.aes256gcm })),
    ...CHACHA.map((vector) => ({ ...vector, name: 'ChaCha20-Poly1305', aead: crypto.chacha20poly1305 })),
  ];

  it.each(doors)('F12: $name, $title', ({ aead, key, nonce, plaintext, associatedData, sealed }) => {
    expect(aead.seal(key, nonce, plaintext, associatedData)).toEqual(sealed);
    expect(aead.open(key, nonce, sealed, associatedData)).toEqual(plaintext);
  });

  it.each(doors)('$name, $title: any changed byte is refused', ({ aead, key, nonce, associatedData, sealed }) => {
    const refused = expect.objectContaining({ code: 'authentication-failed' });
    for (let i = 0; i < sealed.length; i++) {
      const forged = sealed.slice();
      forged[i]! ^= 1;
      expect(() => aead.open(key, nonce, forged, associatedData)).toThrow(refused);
    }
    expect(() => aead.open(key, nonce, sealed, utf8('other'))).toThrow(refused);
    expect(() =>
      aead.open(
        key,
        nonce.map((byte) => byte ^ 1),
        sealed,
        associatedData,
      ),
    ).toThrow(refused);
    expect(() =>
      aead.open(
        key.map((byte) => byte ^ 1),
        nonce,
        sealed,
        associatedData,
      ),
    ).toThrow(refused);
  });

  it.each(['aes256gcm', 'chacha20poly1305'] as const)('%s: what is shorter than a tag is not authentic', (name) => {
    for (let length = 0; length < 16; length++) {
      const open = () => crypto[name].open(GCM_KEY, new Uint8Array(12), new Uint8Array(length), NONE);
      expect(open).toThrow(expect.objectContaining({ code: 'authentication-failed' }));
    }
  });

  it.each([
    ['aes256gcm', [12, 16]],
    ['chacha20poly1305', [12]],
  ] as const)('%s: lengths of key and nonce on both sides of what is supported', (name, nonceLengths) => {
    const aead = crypto[name];
    const badLength = expect.objectContaining({ code: 'bad-length' });
    for (let length = 0; length <= 32; length++) {
      const seal = () => aead.seal(GCM_KEY, new Uint8Array(length), NONE, NONE);
      const open = () => aead.open(GCM_KEY, new Uint8Array(length), new Uint8Array(16), NONE);
      if ((nonceLengths as readonly number[]).includes(length)) {
        expect(seal()).toHaveLength(16);
      } else {
        expect(seal).toThrow(badLength);
        expect(open).toThrow(badLength);
      }
    }
    for (const length of [0, 16, 24, 31, 33]) {
      expect(() => aead.seal(new Uint8Array(length), new Uint8Array(12), NONE, NONE)).toThrow(badLength);
      expect(() => aead.open(new Uint8Array(length), new Uint8Array(12), new Uint8Array(16), NONE)).toThrow(badLength);
    }
  });

  it('S79: a failed tag says nothing about key or plaintext', () => {
    const key = new Uint8Array(32).fill(0xa5);
    const sealed = crypto.aes256gcm.seal(key, new Uint8Array(12), utf8('the plaintext'), NONE);
    sealed[0]! ^= 1;
    const caught = catchError(() => crypto.aes256gcm.open(key, new Uint8Array(12), sealed, NONE));
    expect(caught).toBeInstanceOf(CryptoError);
    expect(Object.keys(caught)).toEqual(['code', 'name']);
    expect(caught.message).toBe('the sealed bytes are not authentic');
    expect(caught.cause).toBeUndefined();
  });
});

function catchError(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
