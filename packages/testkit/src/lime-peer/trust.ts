/** What a device believes about another one, call by call (lime-protocol section 11): the same table for both. */
import { describe, expect } from '@jest/globals';
import type { PeerStatus } from '@sealwire/lime/lime';
import { type Correspondent, DIRECTIONS, writeTo } from './correspondent.ts';
import type { Suite } from './suite.ts';

type Key = 'right' | 'wrong';
/** A word of the user, with the peer's key, another one, or none; and what is believed then, or that the call is refused. */
type Step = readonly [word: PeerStatus, key: Key | undefined, then: PeerStatus | 'refused'];

/** Before any key of the peer was seen. */
const STRANGERS: Record<string, readonly Step[]> = {
  'untrusted says nothing about somebody unknown': [['untrusted', undefined, 'unknown']],
  'trusted needs a key': [['trusted', undefined, 'unknown']],
  'trusted with a key is remembered': [
    ['trusted', 'right', 'trusted'],
    ['trusted', 'wrong', 'refused'],
  ],
  'unsafe stays until the key is trusted': [
    ['unsafe', undefined, 'unsafe'],
    ['untrusted', undefined, 'unsafe'],
    ['trusted', undefined, 'unsafe'],
    ['trusted', 'right', 'trusted'],
    ['untrusted', undefined, 'untrusted'],
  ],
};
/** After a message was exchanged. */
const ACQUAINTED: Record<string, readonly Step[]> = {
  'trusted with the key that is known, and back': [
    ['untrusted', undefined, 'untrusted'],
    ['trusted', undefined, 'untrusted'],
    ['trusted', 'wrong', 'refused'],
    ['trusted', 'right', 'trusted'],
    ['untrusted', undefined, 'untrusted'],
  ],
  'only trusted lifts unsafe': [
    ['unsafe', undefined, 'unsafe'],
    ['untrusted', undefined, 'unsafe'],
    ['trusted', 'wrong', 'refused'],
    ['trusted', 'right', 'trusted'],
    ['unsafe', undefined, 'unsafe'],
  ],
};

export function trust({ curve, world, it }: Suite): void {
  describe.each(DIRECTIONS)('trust of %s in %s', (from, to) => {
    async function strangers(): Promise<[Correspondent, Correspondent]> {
      return [await world().device(from, curve), await world().device(to, curve)];
    }

    async function follow(one: Correspondent, other: Correspondent, steps: readonly Step[]): Promise<void> {
      const keys = { right: await other.identityKey(), wrong: await one.identityKey() };
      for (const [word, key, then] of steps) {
        const before = await one.statusOf(other);
        const judged = one.judge(other, word, key && keys[key]);
        if (then === 'refused') await expect(judged).rejects.toThrow();
        else await judged;
        expect(await one.statusOf(other)).toBe(then === 'refused' ? before : then);
      }
    }

    it.each(Object.entries(STRANGERS))('%s', async (_title, steps) => {
      const [one, other] = await strangers();
      expect(await one.statusOf(other)).toBe('unknown');
      await follow(one, other, steps);
      // The word decides nothing about the cryptography, and the first key seen takes the place of none.
      const believed = await one.statusOf(other);
      expect(await other.read(await writeTo(one, other, 'hello'))).toMatchObject({ content: 'hello' });
      expect(await one.statusOf(other)).toBe(believed === 'unknown' ? 'untrusted' : believed);
      const { status } = (await one.read(await writeTo(other, one, 'hello'))) as { status: PeerStatus };
      expect(status).toBe(await one.statusOf(other));
    });

    it.each(Object.entries(ACQUAINTED))('%s', async (_title, steps) => {
      const [one, other] = await strangers();
      await other.read(await writeTo(one, other, 'hello'));
      await one.read(await writeTo(other, one, 'hello'));
      await follow(one, other, steps);
      await one.restart();
      expect(await one.statusOf(other)).toBe(steps.at(-1)![2]);
    });

    it('a key that was trusted before the first contact is the only one that is written to', async () => {
      const [one, other] = await strangers();
      await one.judge(other, 'trusted', await one.identityKey());
      await expect(one.write([other], 'hello')).rejects.toThrow(/another identity key|changed its Ik/);
      await one.forget(other);
      await one.judge(other, 'trusted', await other.identityKey());
      expect(await other.read(await writeTo(one, other, 'hello'))).toMatchObject({ content: 'hello' });
    });
  });
}
