import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { twinOf } from '@sealwire/crypto/testing/twin';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { PEER_SETTINGS } from './peer-settings.ts';

const publicKey = nobleCrypto().ed25519.publicKey(new Uint8Array(32).fill(7));
const KEY = encodeBase64url(publicKey);
const TWIN = encodeBase64url(twinOf(new Uint8Array(32).fill(7)).publicKey);
const parse = (value: unknown) => PEER_SETTINGS.PEER_DIRECTORIES.safeParse(value);

describe('PEER_DIRECTORIES', () => {
  it('is a list of domain, URL and key, as text or as a TOML list; empty by default', () => {
    const entries = [
      `example.com https://chat.example.com/directory/lime ${KEY}`,
      `other.example  http://127.0.0.1:8080/directory/lime  ${KEY}`,
    ];
    const expected = [
      {
        domain: 'example.com',
        url: new URL('https://chat.example.com/directory/lime'),
        publicKey,
      },
      {
        domain: 'other.example',
        url: new URL('http://127.0.0.1:8080/directory/lime'),
        publicKey,
      },
    ];
    expect(parse(entries.join(', ')).data).toEqual(expected);
    expect(parse(entries).data).toEqual(expected);
    expect(parse(undefined).data).toEqual([]);
    expect(parse('').data).toEqual([]);
  });

  it.each([
    ['an entry is DOMAIN URL KEY', 'example.com https://chat.example.com/directory/lime'],
    ['an entry is DOMAIN URL KEY', `example.com https://chat.example.com/directory/lime ${KEY} more`],
    ['not a domain name in small letters', `Example.com https://chat.example.com/directory/lime ${KEY}`],
    ['not a URL like https://chat.example.com/directory/lime', `example.com chat.example.com ${KEY}`],
    ['not a URL like https://chat.example.com/directory/lime', `example.com https://user@chat.example.com/ ${KEY}`],
    [
      'https is needed for anything but this machine itself',
      `example.com http://chat.example.com/directory/lime ${KEY}`,
    ],
    ['https is needed for anything but this machine itself', `example.com ftp://127.0.0.1/directory/lime ${KEY}`],
    ['the key of example.com is not 32 bytes in base64url', `example.com https://chat.example.com/directory/lime AAAA`],
    ['the key of example.com is no good Ed25519 key', `example.com https://chat.example.com/directory/lime ${TWIN}`],
    ['example.com is there twice', [1, 2].map((n) => `example.com https://chat${n}.example.com/ ${KEY}`).join()],
  ])('K14: %s', (message, value) => {
    expect(parse(value).error?.issues[0]?.message).toBe(message);
  });
});
