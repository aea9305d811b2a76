import { describe, expect, it } from '@jest/globals';
import { ALICE, eachWithStore, NOW, type OpenStore, secret } from './fixture.ts';

const DAY_MS = 86_400_000;

export function nesUsersContract(open: OpenStore): void {
  describe('users of NES', () => {
    const store = eachWithStore(open);
    /** Of this test, as names of NES are. */
    const name = () => ALICE.slice('sip:'.length, ALICE.indexOf('@'));
    const user = (n: number, expiresAt = NOW + DAY_MS) => ({
      name: name(),
      messageKey: `message key ${n}`,
      signKey: `sign key ${n}`,
      activation: secret(n),
      deletion: secret(n + 100),
      expiresAt,
    });

    it('have their name alone until it expires, and for good once they were activated', async () => {
      const { nesUsers } = store();
      expect(await nesUsers.find(name())).toBeUndefined();
      expect(await nesUsers.register(user(1), NOW)).toBe('registered');
      expect(await nesUsers.find(name())).toEqual(user(1));
      expect(await nesUsers.register(user(2), NOW + DAY_MS - 1)).toBe('taken');
      expect(await nesUsers.register(user(2, NOW + 2 * DAY_MS), NOW + DAY_MS)).toBe('registered');
      expect(await nesUsers.find(name())).toEqual(user(2, NOW + 2 * DAY_MS));
      expect(await nesUsers.activate(name(), secret(2), NOW + DAY_MS)).toBe(true);
      expect(await nesUsers.find(name())).toEqual({ ...user(2), expiresAt: undefined });
      expect(await nesUsers.register(user(3), NOW + 99 * DAY_MS)).toBe('taken');
    });

    it('registered twice by one call, whose answer was lost, are registered once', async () => {
      const { nesUsers } = store();
      for (let i = 0; i < 2; i++) expect(await nesUsers.register(user(1), NOW)).toBe('registered');
      for (let i = 0; i < 2; i++) expect(await nesUsers.activate(name(), secret(1), NOW)).toBe(true);
    });

    it('are one of those who ask for a name at the same time', async () => {
      const { nesUsers } = store();
      const answers = await Promise.all([1, 2, 3, 4].map((n) => nesUsers.register(user(n), NOW)));
      expect(answers.sort()).toEqual(['registered', 'taken', 'taken', 'taken']);
    });

    it('are activated by their own hash, and in time', async () => {
      const { nesUsers } = store();
      expect(await nesUsers.activate(name(), secret(1), NOW)).toBe(false);
      await nesUsers.register(user(1), NOW);
      expect(await nesUsers.activate(name(), secret(101), NOW)).toBe(false);
      expect(await nesUsers.activate(name(), secret(1), NOW + DAY_MS)).toBe(false);
      expect(await nesUsers.find(name())).toEqual(user(1));
    });

    it('leave by their own hash, once, and their name is free', async () => {
      const { nesUsers } = store();
      await nesUsers.register(user(1), NOW);
      await nesUsers.activate(name(), secret(1), NOW);
      expect(await nesUsers.remove(name(), secret(1))).toBe(false);
      const removed = await Promise.all([1, 2].map(() => nesUsers.remove(name(), secret(101))));
      expect(removed.sort()).toEqual([false, true]);
      expect(await nesUsers.find(name())).toBeUndefined();
      expect(await nesUsers.activate(name(), secret(1), NOW)).toBe(false);
      expect(await nesUsers.register(user(2), NOW)).toBe('registered');
    });
  });
}
