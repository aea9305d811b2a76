import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDeviceId } from './ids.ts';
import { loginMessage } from './login.ts';

fc.configureGlobal({ seed: 0x5ea1 });

const device = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');

it('is prefix, origin, device and challenge, each ended by a zero byte', () => {
  expect(new TextDecoder().decode(loginMessage('https://chat.example.org', device, 'c'))).toBe(
    'sealwire/login/v1\0https://chat.example.org\0sip:alice@example.org;gr=urn:uuid:1\0c\0',
  );
});

it('S33: no two triples give one message', () => {
  const part = fc.string({ unit: fc.constantFrom('a', ';', '/', '\u0001'), maxLength: 4 });
  const id = part.map((tail) => `sip:a@b;gr=${tail}` as typeof device);
  fc.assert(
    fc.property(fc.tuple(part, id, part), fc.tuple(part, id, part), (one, other) => {
      const same = one.every((text, i) => text === other[i]);
      expect(loginMessage(...one).join() === loginMessage(...other).join()).toBe(same);
    }),
    { numRuns: 1000 },
  );
});

it('refuses to sign a zero byte, which would move an edge', () => {
  for (const [origin, challenge] of [
    ['a\0b', 'c'],
    ['a', 'b\0c'],
  ] as const)
    expect(() => loginMessage(origin, device, challenge)).toThrow(expect.objectContaining({ code: 'bad-challenge' }));
});
