/** More than one session between two devices (lime-protocol section 9). */
import { describe, expect } from '@jest/globals';
import { type Correspondent, DIRECTIONS, headerOf, type Letter, writeTo } from './correspondent.ts';
import type { Suite } from './suite.ts';

export function sessions({ curve, world, it }: Suite): void {
  describe.each(DIRECTIONS)('sessions of %s with %s', (from, to) => {
    async function pair(): Promise<[Correspondent, Correspondent]> {
      return [await world().device(from, curve), await world().device(to, curve)];
    }

    /** `reader` reads it, and it has an init or not. */
    async function expectRead(reader: Correspondent, letter: Letter, content: string, withInit: boolean) {
      expect(headerOf(letter, curve).init !== undefined).toBe(withInit);
      expect(await reader.read(letter)).toMatchObject({ content });
    }

    it('made stale: the next message begins a new one, and what is late on the old one is read and answered there', async () => {
      const [one, other] = await pair();
      await other.read(await writeTo(one, other, 'hello'));
      await one.read(await writeTo(other, one, 'hello'));
      const late = await writeTo(one, other, 'late');
      const lateAnswer = await writeTo(other, one, 'late answer');
      await one.staleSessions(other);
      const fresh = await writeTo(one, other, 'fresh');
      await expectRead(other, fresh, 'fresh', true);
      await expectRead(one, await writeTo(other, one, 'on the new one'), 'on the new one', false);
      await expectRead(other, await writeTo(one, other, 'new too'), 'new too', false);
      await one.restart();
      await other.restart();
      await expectRead(other, late, 'late', false);
      await expectRead(one, lateAnswer, 'late answer', false);
      for (const round of ['1', '2']) {
        await expectRead(one, await writeTo(other, one, round), round, false);
        await expectRead(other, await writeTo(one, other, round), round, false);
      }
      expect(await other.read(late)).toHaveProperty('refused');
      expect(await other.read(fresh)).toHaveProperty('refused');
    });

    it('both begin at once: all is read, and they meet in one session', async () => {
      const [one, other] = await pair();
      const [a, b] = [await writeTo(one, other, 'a0'), await writeTo(other, one, 'b0')];
      const [a1, b1] = [await writeTo(one, other, 'a1'), await writeTo(other, one, 'b1')];
      await expectRead(one, b, 'b0', true);
      await expectRead(other, a, 'a0', true);
      // Each has read the other's init now, and answers in the other's session: crossed again.
      const [a2, b2] = [await writeTo(one, other, 'a2'), await writeTo(other, one, 'b2')];
      await expectRead(one, b1, 'b1', true);
      await expectRead(other, a2, 'a2', false);
      await expectRead(one, b2, 'b2', false);
      await expectRead(other, a1, 'a1', true);
      for (const round of ['1', '2', '3']) {
        await expectRead(one, await writeTo(other, one, `b ${round}`), `b ${round}`, false);
        await expectRead(other, await writeTo(one, other, `a ${round}`), `a ${round}`, false);
      }
      for (const letter of [a, a1, a2]) expect(await other.read(letter)).toHaveProperty('refused');
      for (const letter of [b, b1, b2]) expect(await one.read(letter)).toHaveProperty('refused');
    });

    it('a stale session reads what is late for thirty days', async () => {
      const [one, other] = await pair();
      await other.read(await writeTo(one, other, 'hello'));
      await one.read(await writeTo(other, one, 'hello'));
      const [late, tooLate] = [await writeTo(other, one, 'late'), await writeTo(other, one, 'too late')];
      await one.staleSessions(other);
      await one.advance(29);
      await one.update();
      await expectRead(one, late, 'late', false);
      await one.staleSessions(other);
      // Day by day: a clock that jumps makes nothing old.
      for (let day = 0; day < 31; day++) {
        await one.advance(1);
        await one.update();
      }
      expect(await one.read(tooLate)).toHaveProperty('refused');
      await expectRead(other, await writeTo(one, other, 'anew'), 'anew', true);
      await expectRead(one, await writeTo(other, one, 'welcome back'), 'welcome back', false);
    });

    it('one side forgets the other: its next message begins anew, for the one that remembers too', async () => {
      const [one, other] = await pair();
      await other.read(await writeTo(one, other, 'hello'));
      await one.read(await writeTo(other, one, 'hello'));
      const lost = await writeTo(other, one, 'lost');
      await one.forget(other);
      expect(await one.knows(other, await other.identityKey())).toBe(false);
      expect(await one.read(lost)).toHaveProperty('refused');
      await expectRead(other, await writeTo(one, other, 'anew'), 'anew', true);
      await expectRead(one, await writeTo(other, one, 'welcome back'), 'welcome back', false);
    });
  });
}
