/** What reception checks before it spends a key agreement or a ratchet step (lime-protocol section 8). */
import { expect, it } from '@jest/globals';
import { World } from '../testing/world.ts';

it('a cipherMessage that has no room for its tag is malformed, and costs the ratchet nothing', () => {
  const world = new World();
  const [alice, bob] = [world.person('alice'), world.person('bob')];
  const [letter] = alice.writeToAll([bob], 'hello', { policy: 'cipherMessage' });
  const before = bob.state();
  for (const length of [1, 15]) {
    const cut = { ...letter!, cipherMessage: letter!.cipherMessage.subarray(0, length) };
    expect(bob.refusal(cut)).toBe('malformed');
  }
  expect(bob.state()).toBe(before);
  expect(bob.read(letter!)).toBe('hello');
});
