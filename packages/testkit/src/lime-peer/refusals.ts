/** What must not be read: changed bytes, another sender, another addressee (lime-protocol sections 7.5 and 8). */
import { describe, expect } from '@jest/globals';
import { parseDeviceId } from '@sealwire/wire/ids';
import { type Correspondent, DIRECTIONS, type Letter, writeTo } from './correspondent.ts';
import type { Suite } from './suite.ts';

export function refusals({ curve, world, it }: Suite): void {
  describe.each(DIRECTIONS)('refusals from %s to %s', (from, to) => {
    async function strangers(): Promise<[Correspondent, Correspondent]> {
      return [await world().device(from, curve), await world().device(to, curve)];
    }

    async function expectRefused(reader: Correspondent, letters: readonly Letter[]): Promise<void> {
      for (const letter of letters) expect(await reader.read(letter)).toHaveProperty('refused');
    }

    it('a bit in any byte of a message, first or later, direct or seed form; it still opens whole', async () => {
      const [sender, recipient] = await strangers();
      for (const policy of ['DRMessage', 'cipherMessage'] as const) {
        const letter = await writeTo(sender, recipient, 'precious', { policy });
        await expectRefused(recipient, changes(letter));
        expect(await recipient.read(letter)).toMatchObject({ content: 'precious' });
        await sender.read(await writeTo(recipient, sender, 'thanks'));
      }
    });

    it('cut or lengthened anywhere', async () => {
      const [sender, recipient] = await strangers();
      const letter = await writeTo(sender, recipient, 'precious');
      const { message } = letter;
      const others = [...message.keys()].map((length) => message.slice(0, length));
      others.push(Uint8Array.of(...message, 0), Uint8Array.of(0, ...message));
      await expectRefused(
        recipient,
        others.map((other) => ({ ...letter, message: other })),
      );
      expect(await recipient.read(letter)).toMatchObject({ content: 'precious' });
    });

    it('another sender, another addressee, a letter of another device, the wrong form', async () => {
      const [sender, recipient] = await strangers();
      const third = await world().device(from, curve);
      const fourth = await world().device(to, curve);
      const known = await writeTo(third, recipient, 'hello');
      await recipient.read(known);
      const letter = await writeTo(sender, recipient, 'precious');
      const sealed = await writeTo(sender, fourth, 'precious', { policy: 'cipherMessage' });
      await expectRefused(recipient, [
        { ...letter, from: third.device },
        { ...letter, from: recipient.device },
        { ...letter, user: 'sip:somebody-else@example.org' },
        { ...letter, user: '' },
        { ...letter, cipherMessage: sealed.cipherMessage },
        sealed,
      ]);
      await expectRefused(fourth, [letter, { ...sealed, cipherMessage: new Uint8Array(0) }]);
      expect(await recipient.read(letter)).toMatchObject({ content: 'precious' });
      expect(await fourth.read(sealed)).toMatchObject({ content: 'precious' });
    });

    it('a changed cipherMessage, or one for another addressee: refused; ours opens the right one later', async () => {
      const [sender, recipient] = await strangers();
      const letter = await writeTo(sender, recipient, 'precious', { policy: 'cipherMessage' });
      const { cipherMessage } = letter;
      const changed = cipherMessage.map((byte, at) => (at === 3 ? byte ^ 1 : byte));
      await expectRefused(recipient, [{ ...letter, cipherMessage: changed }]);
      await expectRefused(recipient, [{ ...letter, user: 'sip:somebody-else@example.org' }]);
      // liblime spends the message key before it looks at the cipherMessage.
      const late = await recipient.read(letter);
      expect(late).toEqual(to === 'ours' ? { content: 'precious' } : { refused: 'fail' });
      const next = await writeTo(sender, recipient, 'next', { policy: 'cipherMessage' });
      expect(await recipient.read(next)).toMatchObject({ content: 'next' });
    });

    it('a recipient without keys fails alone', async () => {
      const [sender, recipient] = await strangers();
      const ghost = { device: parseDeviceId(`${recipient.device}x`), user: recipient.user };
      const letters = await sender.write([ghost, recipient], 'anyone there?');
      expect(letters.map((letter) => letter.to)).toEqual([recipient.device]);
      expect(await recipient.read(letters[0]!)).toMatchObject({ content: 'anyone there?' });
    });
  });
}

/** One bit a byte, another one in each. */
function changes(letter: Letter): Letter[] {
  return [...letter.message.keys()].map((at) => {
    const message = letter.message.slice();
    message[at]! ^= 1 << (at % 8);
    return { ...letter, message };
  });
}
