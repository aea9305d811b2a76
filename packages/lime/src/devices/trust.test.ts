/** The tables of lime-protocol section 11. */
import { describe, expect, it } from '@jest/globals';
import { bytes, codeOf, DAY, World } from '../testing/world.ts';
import type { PeerStatus } from './trust.ts';

function acquainted() {
  const world = new World();
  const [alice, bob] = [world.person('alice'), world.person('bob')];
  const stranger = world.person('stranger').device;
  alice.read(bob.write(alice, 'hello'));
  const key = bob.lime.identityKey(bob.device);
  return { world, alice, bob, stranger, key, other: alice.lime.identityKey(alice.device) };
}

describe('setPeerStatus', () => {
  it('on a device that is not stored', () => {
    const { alice, stranger, key } = acquainted();
    const { lime } = alice;
    const after = (status: PeerStatus, identityKey?: Uint8Array) => {
      lime.setPeerStatus(stranger, status, identityKey);
      return lime.peerStatus(stranger);
    };
    expect(after('trusted')).toBe('unknown');
    expect(after('untrusted')).toBe('unknown');
    expect(after('unknown')).toBe('unknown');
    expect(after('fail')).toBe('unknown');
    expect(after('trusted', key)).toBe('trusted');
    expect(lime.peerIdentityKey(stranger)).toEqual(key);
    lime.deletePeer(stranger);
    expect(after('unsafe', key)).toBe('unsafe');
    expect(lime.peerIdentityKey(stranger)).toBeUndefined();
  });

  it('on a stored device', () => {
    const { alice, bob, key, other } = acquainted();
    const { lime } = alice;
    const after = (status: PeerStatus, identityKey?: Uint8Array) => {
      lime.setPeerStatus(bob.device, status, identityKey);
      return lime.peerStatus(bob.device);
    };
    expect(after('trusted')).toBe('untrusted');
    expect(after('trusted', key)).toBe('trusted');
    expect(after('untrusted')).toBe('untrusted');
    expect(after('unsafe')).toBe('unsafe');
    expect(after('untrusted')).toBe('unsafe');
    expect(after('trusted', key)).toBe('trusted');
    expect(codeOf(() => lime.setPeerStatus(bob.device, 'trusted', other))).toBe('identity-changed');
    expect(codeOf(() => lime.setPeerStatus(bob.device, 'trusted', bytes('no key')))).toBe('malformed');
    expect(lime.peerStatus(bob.device)).toBe('trusted');
  });

  it('a device called unsafe before it was met takes the first key seen, and stays unsafe', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    alice.lime.setPeerStatus(bob.device, 'unsafe');
    alice.write(bob, 'hello');
    expect(alice.lime.peerStatus(bob.device)).toBe('unsafe');
    expect(alice.lime.peerIdentityKey(bob.device)).toEqual(bob.lime.identityKey(bob.device));

    alice.lime.deletePeer(bob.device);
    alice.lime.setPeerStatus(bob.device, 'unsafe');
    alice.read(bob.write(alice, 'hello'));
    expect(alice.lime.peerStatus(bob.device)).toBe('unsafe');
    expect(alice.lime.peerIdentityKey(bob.device)).toEqual(bob.lime.identityKey(bob.device));
    alice.lime.deletePeer(bob.device);
    alice.lime.setPeerStatus(bob.device, 'unsafe');
    alice.lime.setPeerStatus(bob.device, 'trusted', bob.lime.identityKey(bob.device));
    expect(alice.lime.peerStatus(bob.device)).toBe('trusted');
  });
});

describe('peerStatus', () => {
  it('is the lowest of the list; local devices are trusted; an empty list is unknown', () => {
    const { alice, bob, stranger, key } = acquainted();
    const { lime } = alice;
    expect(lime.peerStatus([])).toBe('unknown');
    expect(lime.peerStatus(alice.device)).toBe('trusted');
    expect(lime.peerStatus([alice.device, bob.device])).toBe('untrusted');
    expect(lime.peerStatus([alice.device, bob.device, stranger])).toBe('unknown');
    lime.setPeerStatus(bob.device, 'trusted', key);
    expect(lime.peerStatus([alice.device, bob.device])).toBe('trusted');
    lime.setPeerStatus(bob.device, 'unsafe');
    expect(lime.peerStatus([stranger, bob.device])).toBe('unsafe');
  });
});

describe('deletePeer', () => {
  it('forgets key, status and all sessions with the device', () => {
    const { alice, bob, world } = acquainted();
    alice.lime.staleSessions(alice.device, bob.device);
    alice.write(bob, 'again');
    alice.lime.deletePeer(bob.device);
    expect(alice.store.keys('').filter((key) => key.includes('bob'))).toEqual([]);
    expect(alice.lime.peerStatus(bob.device)).toBe('unknown');
    world.now += DAY;
    expect(alice.lime.updateDue(alice.device)).toBe(true);
  });
});
