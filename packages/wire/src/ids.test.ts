import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  accountOf,
  addressOf,
  isEnforcedDeviceId,
  nameOf,
  parseAccountAddress,
  parseAccountName,
  parseDeviceId,
  parseMessageId,
  typedAddress,
  typedName,
} from './ids.ts';
import { LIMITS } from './limits.ts';
import { WireError } from './wire-error.ts';

fc.configureGlobal({ seed: 0x5ea1 });

describe('names', () => {
  it.each(['abc', 'a.b', '0-_', 'x'.repeat(32)])('%s is one', (name) => expect(parseAccountName(name)).toBe(name));
  it.each(['', 'ab', 'x'.repeat(33), '.abc', '-abc', '_abc', 'Abc', 'a b', 'a@b', 'abc\n', 'жанна', 'a:c'])(
    '%j is none',
    (name) => {
      expect(() => parseAccountName(name)).toThrow(expect.objectContaining({ name: 'WireError', code: 'bad-name' }));
    },
  );
});

const BAD_USERS = [
  '',
  'a b',
  'a\tb',
  'a@b',
  'a:b',
  'a;b',
  'a<b',
  'a>b',
  'a"b',
  'a\0b',
  'a\u0085b',
  'a\u00a0b',
  'a\ud800b',
  'x'.repeat(65),
];
const BAD_HOSTS = [
  '',
  'ex ample.org',
  'exämple.org',
  'example.org/',
  'example.org;x',
  'a@b',
  'example.org\n',
  'x'.repeat(191),
];

describe('addresses and device ids', () => {
  it.each([
    'sip:alice@example.org',
    'sip:Alice@EXAMPLE.org:5060',
    'sip:a@[::1]',
    'sip:жанна@example.org',
    `sip:${'x'.repeat(64)}@b`,
  ])('%s is an address, and of devices too', (address) => {
    expect(parseAccountAddress(address)).toBe(address);
    expect(accountOf(parseDeviceId(`${address};gr=urn:uuid:1@2:3`))).toBe(address);
  });

  it.each([
    'alice@example.org',
    'sips:alice@example.org',
    'SIP:alice@example.org',
    ' sip:alice@example.org',
    'sip:alice',
    ...BAD_USERS.map((user) => `sip:${user}@example.org`),
    ...BAD_HOSTS.map((host) => `sip:alice@${host}`),
  ])('%j is no address, nor of devices', (address) => {
    expect(() => parseAccountAddress(address)).toThrow(
      expect.objectContaining({ name: 'WireError', code: 'bad-address' }),
    );
    expect(() => parseDeviceId(`${address};gr=1`)).toThrow(
      expect.objectContaining({ name: 'WireError', code: 'bad-device-id' }),
    );
  });

  it.each(['', ';gr=', ';gr=a b', ';gr=a;b', ';gr=a\n', ';gr=\ud800', ';gr=a;gr=b', ';GR=a', `;gr=${'x'.repeat(129)}`])(
    'nothing is a device by %j',
    (tail) => {
      expect(() => parseDeviceId(`sip:alice@example.org${tail}`)).toThrow(
        expect.objectContaining({ code: 'bad-device-id' }),
      );
    },
  );

  it('deviceIdBytes, in bytes of UTF-8, on both sides of the limit', () => {
    const { value } = LIMITS.deviceIdBytes;
    const id = (bytes: number) => `sip:жжж@${'b'.repeat(value - 4 - 6 - 1 - 4 - bytes)};gr=${'c'.repeat(bytes)}`;
    expect(new TextEncoder().encode(parseDeviceId(id(100)))).toHaveLength(value);
    expect(() => parseDeviceId(`${id(100)}c`)).toThrow(expect.objectContaining({ code: 'bad-device-id' }));
    const address = (bytes: number) => `sip:${'ж'.repeat(60)}@${'b'.repeat(bytes - 4 - 120 - 1)}`;
    expect(parseAccountAddress(address(value))).toHaveLength(value - 60);
    expect(() => parseAccountAddress(address(value + 1))).toThrow(expect.objectContaining({ code: 'bad-address' }));
  });

  it('an address is made of a name and a domain, and the name is found again', () => {
    const name = parseAccountName('alice');
    expect(addressOf(name, 'example.org')).toBe('sip:alice@example.org');
    expect(nameOf(addressOf(name, 'example.org'))).toBe(name);
    expect(() => addressOf(name, 'example org')).toThrow(expect.objectContaining({ code: 'bad-address' }));
  });
});

describe('what a person types has one form', () => {
  it.each([
    ['alice', 'alice'],
    ['Alice', 'alice'],
    ['ａｌｉｃｅ', 'alice'],
    ['\u212aarl', 'karl'],
  ])('the name %s is %s', (text, name) => {
    expect(typedName(text)).toBe(name);
    expect(typedAddress(text, 'example.org')).toBe(`sip:${name}@example.org`);
  });

  it.each(['al\u202eice', 'al\u200bice', 'a b', 'жанна', 'ab', '', 'e\u0301va'])('%j is no name', (text) => {
    for (const take of [typedName, (name: string) => typedAddress(name, 'example.org')])
      expect(() => take(text)).toThrow(
        expect.objectContaining({ code: 'bad-name', message: expect.stringMatching(/^a user name is/) }),
      );
  });

  it.each([
    ['sip:Alice@Example.org:5060', 'sip:Alice@Example.org:5060'],
    ['sip:re\u0301ne@example.org', 'sip:r\u00e9ne@example.org'],
    ['sip:ａlice@example.org', 'sip:alice@example.org'],
  ])('the address %s is %s: case is LIME’s, which compares bytes', (text, address) => {
    expect(typedAddress(text, 'elsewhere.org')).toBe(address);
  });

  it.each(['sip:al\u202eice@example.org', 'sip:al\u200bice@example.org', 'sip:a＠b@example.org', 'sip:x²@example.org'])(
    '%j is no address',
    (text) => {
      expect(() => typedAddress(text, 'example.org')).toThrow(WireError);
    },
  );
});

describe('what comes in anew has one form, what is there stays readable', () => {
  const device = (user: string, gr = 'urn:uuid:1') => parseDeviceId(`sip:${user}@example.org;gr=${gr}`);
  it.each(['alice', 'Alice', 'жанна', 'r\u00e9ne', 'שלום'])('%s', (user) => {
    expect(isEnforcedDeviceId(device(user))).toBe(true);
  });
  it.each(['re\u0301ne', 'al\u202eice', 'al\u200bice', 'ａlice', 'x²', 'aש'])('%j', (user) => {
    expect(isEnforcedDeviceId(device(user))).toBe(false);
  });
  it.each(['1\u202e', '1\u200b', 'é'])('a device called %j', (gr) => {
    expect(isEnforcedDeviceId(device('alice', gr))).toBe(false);
  });
});

describe('S28: what LIME authenticates stays unambiguous', () => {
  /** All ways to read `text` as ids of these kinds, one after the other. */
  function readings(text: string, kinds: readonly ((text: string) => string)[]): string[][] {
    const [first, ...others] = kinds;
    if (!first) return text === '' ? [[]] : [];
    const found: string[][] = [];
    for (let end = 1; end <= text.length; end++) {
      let head: string;
      try {
        head = first(text.slice(0, end));
      } catch {
        continue;
      }
      for (const rest of readings(text.slice(end), others)) found.push([head, ...rest]);
    }
    return found;
  }

  // Pieces that look like edges, so that ids imitate each other as well as the grammar lets them.
  const user = fc.string({ unit: fc.constantFrom('s', 'sip', 'gr=', 'é'), minLength: 1, maxLength: 3 });
  const host = fc.string({ unit: fc.constantFrom('b', 'sip:', ':', 'sip:s'), minLength: 1, maxLength: 3 });
  const tail = fc.string({ unit: fc.constantFrom('c', 'sip:', '@', 'gr=', 'sip:s@b'), minLength: 1, maxLength: 3 });
  const address = fc.tuple(user, host).map(([u, h]) => parseAccountAddress(`sip:${u}@${h}`));
  const device = fc.tuple(address, tail).map(([a, t]) => parseDeviceId(`${a};gr=${t}`));

  it('recipient user || source || recipient device (direct form)', () => {
    fc.assert(
      fc.property(address, device, device, (...ids) => {
        expect(readings(ids.join(''), [parseAccountAddress, parseDeviceId, parseDeviceId])).toEqual([ids]);
      }),
    );
  });

  it('source || recipient device, and source || recipient user (seed form)', () => {
    fc.assert(
      fc.property(device, device, address, (source, recipient, recipientUser) => {
        expect(readings(source + recipient, [parseDeviceId, parseDeviceId])).toEqual([[source, recipient]]);
        expect(readings(source + recipientUser, [parseDeviceId, parseAccountAddress])).toEqual([
          [source, recipientUser],
        ]);
      }),
    );
  });
});

it('messageIdBytes, on both sides', () => {
  expect(parseMessageId(new Uint8Array(16))).toHaveLength(16);
  for (const length of [15, 17])
    expect(() => parseMessageId(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'bad-message-id' }));
});
