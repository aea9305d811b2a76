import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DeviceIdCache } from './device-id-cache.ts';
import { parseDeviceId } from './ids.ts';

fc.configureGlobal({ seed: 0x5ea1 });

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe('DeviceIdCache', () => {
  it('answers what parseDeviceId answers, however often and in whatever order it is asked', () => {
    const cache = new DeviceIdCache();
    const id = fc
      .tuple(fc.constantFrom('a', 'жанна', 'é'), fc.nat(9))
      .map(([name, n]) => `sip:${name}@example.org;gr=urn:uuid:${n}`);
    fc.assert(fc.property(id, (text) => expect(cache.parse(bytesOf(text))).toBe(parseDeviceId(text))));
  });

  it('tells ids apart that share a slot', () => {
    const cache = new DeviceIdCache();
    // Three times as many ids as slots: most slots are fought over.
    const ids = Array.from({ length: 12_288 }, (_, n) => `sip:alice@example.org;gr=urn:uuid:${n}`);
    for (const id of [...ids, ...ids]) expect(cache.parse(bytesOf(id))).toBe(id);
  });

  it('does not take bytes for an id whose characters look like them', () => {
    const cache = new DeviceIdCache();
    cache.parse(bytesOf('sip:é@b;gr=c'));
    const latin1 = Uint8Array.from('sip:é@b;gr=c', (char) => char.charCodeAt(0));
    expect(() => cache.parse(latin1)).toThrow();
  });

  it('refuses what is no device id, every time', () => {
    const cache = new DeviceIdCache();
    for (let i = 0; i < 2; i++)
      expect(() => cache.parse(bytesOf('sip:alice@example.org'))).toThrow(
        expect.objectContaining({ code: 'bad-device-id' }),
      );
  });
});
