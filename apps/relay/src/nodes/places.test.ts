import { describe, expect, it } from '@jest/globals';
import { parseDeviceId } from '@sealwire/wire/ids';
import { Places } from './places.ts';

const bob = parseDeviceId('sip:bob@relay.test;gr=urn:uuid:1');

describe('places', () => {
  it('of two sessions the larger number counts, in whatever order they are told', () => {
    const places = new Places();
    places.opened(bob, 'b', 7);
    places.opened(bob, 'a', 5);
    places.closed(bob, 5);
    expect(places.find(bob)?.node).toBe('b');
    places.closed(bob, 7);
    expect(places.find(bob)).toMatchObject({ node: undefined });
    places.opened(bob, 'b', 7);
    expect(places.find(bob)).toMatchObject({ node: undefined });
    places.opened(bob, 'a', 8);
    expect(places.find(bob)?.node).toBe('a');
  });

  it('the end of a session says nothing of a device that is unknown', () => {
    const places = new Places();
    places.closed(bob, 5);
    expect(places.find(bob)).toBeUndefined();
  });

  it('a lost question leaves a device unknown, unless it was heard of meanwhile', () => {
    const places = new Places();
    places.asked(bob);
    places.notAsked(bob);
    expect(places.find(bob)).toBeUndefined();
    places.asked(bob);
    places.opened(bob, 'a', 1);
    places.notAsked(bob);
    expect(places.find(bob)?.node).toBe('a');
  });
});
