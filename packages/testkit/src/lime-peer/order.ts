/** Messages that arrive late, never, or again (lime-protocol sections 7.5 and 7.6). */
import { describe, expect } from '@jest/globals';
import { type Correspondent, DIRECTIONS, headerOf, type Letter, writeTo } from './correspondent.ts';
import type { Suite } from './suite.ts';

export function order({ curve, world, it }: Suite): void {
  describe.each(DIRECTIONS)('order from %s to %s', (from, to) => {
    async function acquainted(): Promise<[Correspondent, Correspondent]> {
      const [sender, recipient] = [await world().device(from, curve), await world().device(to, curve)];
      await recipient.read(await writeTo(sender, recipient, 'hello'));
      await sender.read(await writeTo(recipient, sender, 'hello'));
      return [sender, recipient];
    }

    /** Alternately in the direct and in the seed form. */
    async function series(sender: Correspondent, recipient: Correspondent, contents: string[]): Promise<Letter[]> {
      const letters: Letter[] = [];
      for (const [i, content] of contents.entries())
        letters.push(
          await writeTo(sender, recipient, content, { policy: i % 2 === 0 ? 'DRMessage' : 'cipherMessage' }),
        );
      return letters;
    }

    it('three chains in any order, with a restart between; each is refused the second time', async () => {
      const [sender, recipient] = await acquainted();
      const contents = Array.from({ length: 12 }, (_, i) => `message ${i}`);
      const letters: Letter[] = [];
      for (const first of [0, 4, 8]) {
        letters.push(...(await series(sender, recipient, contents.slice(first, first + 4))));
        // The last of each chain arrives in time, and its answer makes the sender begin the next one.
        expect(await recipient.read(letters[first + 3]!)).toMatchObject({ content: contents[first + 3] });
        await sender.read(await writeTo(recipient, sender, 'go on'));
      }
      expect(letters.map((letter) => headerOf(letter, curve).number)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
      expect(new Set(letters.slice(4).map((letter) => headerOf(letter, curve).previous))).toEqual(new Set([4]));
      await recipient.restart();
      for (const at of [9, 0, 6, 5, 10, 2]) {
        expect(await recipient.read(letters[at]!)).toMatchObject({ content: contents[at] });
        expect(await recipient.read(letters[at]!)).toHaveProperty('refused');
      }
      await recipient.restart();
      for (const at of [8, 1, 4]) expect(await recipient.read(letters[at]!)).toMatchObject({ content: contents[at] });
      for (const letter of letters) expect(await recipient.read(letter)).toHaveProperty('refused');
      const [next] = await series(sender, recipient, ['still here']);
      expect(await recipient.read(next!)).toMatchObject({ content: 'still here' });
    });

    it('a first message comes twice', async () => {
      const [sender, recipient] = [await world().device(from, curve), await world().device(to, curve)];
      const first = await writeTo(sender, recipient, 'hello');
      expect(await recipient.read(first)).toMatchObject({ content: 'hello' });
      expect(await recipient.read(first)).toHaveProperty('refused');
      await sender.read(await writeTo(recipient, sender, 'hello'));
      await recipient.restart();
      expect(await recipient.read(first)).toHaveProperty('refused');
      expect(await recipient.read(await writeTo(sender, recipient, 'on'))).toMatchObject({ content: 'on' });
    });

    it('a first message without a one-time prekey comes twice: ours refuses it, liblime does not', async () => {
      const sender = await world().device(from, curve);
      const recipient = await world().device(to, curve, { oneTimePrekeys: 0 });
      const first = await writeTo(sender, recipient, 'hello');
      expect(headerOf(first, curve).init).toMatchObject({ withOneTime: false });
      const accepted = { content: 'hello' };
      const replayed = to === 'ours' ? { refused: 'duplicate' } : accepted;
      expect(await recipient.read(first)).toMatchObject({ content: 'hello' });
      expect(await recipient.read(first)).toEqual(replayed);
      const exchange = async (round: string) => {
        expect(await sender.read(await writeTo(recipient, sender, round))).toMatchObject({ content: round });
        expect(await recipient.read(await writeTo(sender, recipient, round))).toMatchObject({ content: round });
      };
      await exchange('1');
      await recipient.restart();
      expect(await recipient.read(first)).toEqual(replayed);
      if (to === 'liblime') {
        // It answers in the session that the replay began, of which the sender knows nothing, until the sender writes again.
        const astray = await writeTo(recipient, sender, 'astray');
        expect(await sender.read(astray)).toEqual({ refused: 'authentication-failed' });
        expect(await recipient.read(await writeTo(sender, recipient, 'here'))).toMatchObject({ content: 'here' });
      }
      await exchange('2');
      await recipient.forget(sender);
      const withoutSession = { ours: { refused: 'replayed-init' }, liblime: { content: 'hello' } };
      expect(await recipient.read(first)).toEqual(withoutSession[to]);
    });
  });
}
