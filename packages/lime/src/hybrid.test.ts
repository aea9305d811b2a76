/** The hybrid suites among our own devices. */
import { describe, expect, it } from '@jest/globals';
import type { SuiteName } from '@sealwire/crypto/port';
import { World } from './testing/world.ts';

describe.each<SuiteName>(['c25519mlk512', 'c448mlk1024'])('%s', (suite) => {
  it('talks', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice', suite), world.person('bob', suite)];
    for (let i = 0; i < 30; i++) {
      const [a, b] = i % 2 ? [bob, alice] : [alice, bob];
      for (let j = 0; j < 3; j++) {
        const letter = a.write(b, `hello ${i} ${j}`);
        expect(b.read(letter)).toBe(`hello ${i} ${j}`);
      }
      a.restart();
    }
  });
});
