/** The numbers that both sides have to agree on, on both sides of each (lime-protocol sections 7.4 to 7.6, 9). */
import { describe, expect } from '@jest/globals';
import { LIME_SUITES } from '@sealwire/wire/lime-server';
import { type Correspondent, DIRECTIONS, headerOf, type Letter, writeTo } from './correspondent.ts';
import type { Suite } from './suite.ts';

const SENDING_CHAIN = 1_000;
const SKIPPED_BY_ONE_MESSAGE = 1_024;
const LATER_MESSAGES = 128;

export function bounds({ curve, world, it }: Suite): void {
  describe.each(DIRECTIONS)('bounds from %s to %s', (from, to) => {
    async function pair(): Promise<[Correspondent, Correspondent]> {
      return [await world().device(from, curve), await world().device(to, curve)];
    }

    /** Numbered by their content. */
    async function series(sender: Correspondent, recipient: Correspondent, count: number): Promise<Letter[]> {
      const letters: Letter[] = [];
      for (let i = 0; i < count; i += 1) letters.push(await writeTo(sender, recipient, `${i}`));
      return letters;
    }

    /** Which session: the ephemeral key of its init. */
    function sessionOf({ message }: Letter): string {
      const at = 4 + LIME_SUITES[curve].ed;
      return Buffer.from(message.slice(at, at + LIME_SUITES[curve].x)).toString('hex');
    }

    it(`${SENDING_CHAIN} messages without an answer, and then a new session; the lost ones still open`, async () => {
      const [sender, recipient] = await pair();
      const letters = await series(sender, recipient, SENDING_CHAIN + 1);
      const numbers = letters.map((letter) => headerOf(letter, curve).number);
      expect(numbers).toEqual([...Array(SENDING_CHAIN).keys(), 0]);
      expect(new Set(letters.slice(0, SENDING_CHAIN).map(sessionOf)).size).toBe(1);
      expect(sessionOf(letters[SENDING_CHAIN]!)).not.toBe(sessionOf(letters[0]!));
      for (const at of [0, SENDING_CHAIN - 1, 500, SENDING_CHAIN, 1, SENDING_CHAIN - 2])
        expect(await recipient.read(letters[at]!)).toMatchObject({ content: `${at}` });
      await sender.read(await writeTo(recipient, sender, 'there you are'));
      const next = await writeTo(sender, recipient, 'yes');
      expect(headerOf(next, curve).init).toBeUndefined();
      expect(await recipient.read(next)).toMatchObject({ content: 'yes' });
    });

    it(`one message skips ${SKIPPED_BY_ONE_MESSAGE} others in two chains, not one more`, async () => {
      const [sender, recipient] = await pair();
      const old = await series(sender, recipient, SENDING_CHAIN - 10);
      expect(await recipient.read(old[0]!)).toMatchObject({ content: '0' });
      await sender.read(await writeTo(recipient, sender, 'go on'));
      const most = SKIPPED_BY_ONE_MESSAGE - (old.length - 1);
      const young = await series(sender, recipient, most + 2);
      expect(headerOf(young[0]!, curve)).toMatchObject({ number: 0, previous: old.length });
      const refused = { ours: 'too-far', liblime: 'fail' }[to];
      expect(await recipient.read(young[most + 1]!)).toEqual({ refused });
      expect(await recipient.read(young[most]!)).toMatchObject({ content: `${most}` });
      expect(await recipient.read(young[most + 1]!)).toMatchObject({ content: `${most + 1}` });
      for (const letter of [old[1]!, old.at(-1)!, young[0]!])
        expect(await recipient.read(letter)).toHaveProperty('content');
    });

    it.each([LATER_MESSAGES, LATER_MESSAGES + 1])('a key that was skipped %s messages ago', async (later) => {
      const [sender, recipient] = await pair();
      const letters = await series(sender, recipient, later + 2);
      for (const letter of letters.slice(1)) expect(await recipient.read(letter)).toHaveProperty('content');
      await recipient.advance(2);
      await recipient.update();
      const reading = await recipient.read(letters[0]!);
      expect(reading).toHaveProperty(later === LATER_MESSAGES ? 'content' : 'refused');
    });
  });
}
