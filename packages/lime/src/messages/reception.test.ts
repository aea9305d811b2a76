/** What reception checks of a message, and what it says of one that no session opens (docs/spec/lime.md sections 6 and 7). */
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

it('a message that no session opens is refused by its most telling failure: a duplicate of an older session is called one', () => {
  const world = new World();
  const [alice, bob] = [world.person('alice'), world.person('bob')];
  bob.read(alice.write(bob, 'hello'));
  alice.read(bob.write(alice, 'good morning'));
  const old = alice.write(bob, 'once');
  expect(bob.read(old)).toBe('once');
  alice.renewSession(bob);
  bob.read(alice.write(bob, 'in a new session'));
  expect(bob.refusal(old)).toBe('duplicate');
});
