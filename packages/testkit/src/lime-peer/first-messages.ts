/** First contact and what follows it (lime-protocol sections 6 to 8, 11): every policy, with and without a one-time prekey. */
import { describe, expect } from '@jest/globals';
import type { Policy } from '@sealwire/lime/policy';
import { DIRECTIONS, headerOf, type Letter, writeTo } from './correspondent.ts';
import type { Suite } from './suite.ts';

const POLICIES: readonly Policy[] = ['DRMessage', 'cipherMessage', 'optimizeUploadSize', 'optimizeGlobalBandwidth'];
const CONTENTS = ['', 'short: \0\xff', 'long '.repeat(2_000)];
const SEED = 32;
const TAG = 16;

export function firstMessages({ curve, world, it }: Suite): void {
  /** The form that `policy` gives for one recipient: only one of them is never direct. */
  function expectForm(letter: Letter, policy: Policy, content: string): void {
    const { direct, length } = headerOf(letter, curve);
    expect(direct).toBe(policy !== 'cipherMessage');
    expect(letter.message).toHaveLength(length + (direct ? content.length : SEED) + TAG);
    expect(letter.cipherMessage).toHaveLength(direct ? 0 : content.length + TAG);
  }

  describe.each(DIRECTIONS)('%s writes first to %s', (from, to) => {
    it.each([true, false])(
      'all policies; empty, short and long; with a one-time prekey: %s; no init after the first answer',
      async (withOneTime) => {
        const recipient = await world().device(to, curve, { oneTimePrekeys: POLICIES.length });
        if (!withOneTime) {
          const devices = POLICIES.map(() => recipient.device);
          await world().directory.ask(recipient.device, { kind: 'getPeerBundle', suite: curve, devices });
        }
        for (const policy of POLICIES) {
          const sender = await world().device(from, curve);
          for (const [number, content] of CONTENTS.entries()) {
            const letter = await writeTo(sender, recipient, content, { policy });
            expectForm(letter, policy, content);
            expect(headerOf(letter, curve)).toMatchObject({ init: { withOneTime }, number, previous: 0 });
            expect(await recipient.read(letter)).toEqual({ content });
          }
          for (const [number, content] of CONTENTS.entries()) {
            const answer = await writeTo(recipient, sender, content, { policy });
            expectForm(answer, policy, content);
            expect(headerOf(answer, curve)).toMatchObject({ init: undefined, number, previous: 0 });
            expect(await sender.read(answer)).toEqual({ content });
          }
          const later = await writeTo(sender, recipient, 'later', { policy });
          expect(headerOf(later, curve)).toMatchObject({ init: undefined, number: 0, previous: CONTENTS.length });
          expect(await recipient.read(later)).toEqual({ content: 'later' });
        }
      },
    );

    it('the init is repeated until the first answer, and any of the messages may begin the session', async () => {
      const [sender, recipient] = [await world().device(from, curve), await world().device(to, curve)];
      const contents = ['0', '1', '2', '3'];
      const letters: Letter[] = [];
      for (const content of contents) letters.push(await writeTo(sender, recipient, content));
      expect(letters.map((letter) => headerOf(letter, curve).init)).toEqual(
        Array(4).fill(headerOf(letters[0]!, curve).init),
      );
      for (const at of [2, 0, 3]) expect(await recipient.read(letters[at]!)).toMatchObject({ content: contents[at] });
      expect(await sender.read(await writeTo(recipient, sender, 'answer'))).toMatchObject({ content: 'answer' });
      const later = await writeTo(sender, recipient, 'later');
      expect(headerOf(later, curve).init).toBeUndefined();
      expect(await recipient.read(later)).toMatchObject({ content: 'later' });
      expect(await recipient.read(letters[1]!)).toMatchObject({ content: '1' });
    });

    it('each sees the identity key of the other, and no other', async () => {
      const [sender, recipient] = [await world().device(from, curve), await world().device(to, curve)];
      await recipient.read(await writeTo(sender, recipient, 'hello'));
      for (const [one, other] of [
        [sender, recipient],
        [recipient, sender],
      ] as const) {
        expect(await one.knows(other, await one.identityKey())).toBe(false);
        expect(await one.knows(other, await other.identityKey())).toBe(true);
      }
      const letter = await writeTo(sender, recipient, 'again');
      expect(await recipient.read(letter)).toEqual({ content: 'again' });
    });
  });
}
