/** Forgetting a peer device (lime-protocol section 11). */
import { expect, it } from '@jest/globals';
import { World } from '../testing/world.ts';

it('deletePeer forgets key and all sessions with the device', () => {
  const world = new World();
  const [alice, bob] = [world.person('alice'), world.person('bob')];
  alice.read(bob.write(alice, 'hello'));
  expect(alice.lime.peerIdentityKey(bob.device)).toEqual(bob.identityKey);
  alice.renewSession(bob);
  alice.write(bob, 'again');
  alice.lime.deletePeer(bob.device);
  expect(alice.store.keys('').filter((key) => key.includes('bob'))).toEqual([]);
  expect(alice.lime.peerIdentityKey(bob.device)).toBeUndefined();
});
