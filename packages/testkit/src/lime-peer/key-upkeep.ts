/** What time does to keys, and how a device gets well again (lime-protocol sections 5 and 10). */
import { describe, expect } from '@jest/globals';
import { DIRECTIONS, headerOf, SUPPLY, writeTo } from './correspondent.ts';
import type { Suite } from './suite.ts';

export function keyUpkeep({ curve, world, it }: Suite): void {
  describe.each(DIRECTIONS)('keys, %s writing to %s', (from, to) => {
    const prekeyOf = (letter: Parameters<typeof headerOf>[0]) => headerOf(letter, curve).init!.signedPrekeyId;

    it('a signed prekey is replaced after seven days, opens first messages for thirty more, and then no longer', async () => {
      const recipient = await world().device(to, curve);
      const [early, veryEarly, late] = [
        await world().device(from, curve),
        await world().device(from, curve),
        await world().device(from, curve),
      ];
      const old = await writeTo(early, recipient, 'with the old prekey');
      const veryOld = await writeTo(veryEarly, recipient, 'too late');
      await recipient.advance(8);
      expect(await recipient.update()).toEqual(['getSelfOneTimePrekeys', 'postSignedPrekey']);
      const fresh = await writeTo(late, recipient, 'with the new prekey');
      expect(prekeyOf(fresh)).not.toBe(prekeyOf(old));
      expect(await recipient.read(fresh)).toMatchObject({ content: 'with the new prekey' });
      await recipient.advance(29);
      await recipient.update();
      expect(await recipient.read(old)).toMatchObject({ content: 'with the old prekey' });
      expect(await early.read(await writeTo(recipient, early, 'answer'))).toMatchObject({ content: 'answer' });
      await recipient.advance(2);
      await recipient.update();
      const refused = { ours: 'unknown-signed-prekey', liblime: 'fail' }[to];
      expect(await recipient.read(veryOld)).toEqual({ refused });
      // The session that the old prekey began is not bound to it.
      expect(await recipient.read(await writeTo(early, recipient, 'on'))).toMatchObject({ content: 'on' });
    });

    it('one-time prekeys run out, and are refilled', async () => {
      const recipient = await world().device(to, curve, { oneTimePrekeys: 2 });
      const seen: boolean[] = [];
      const meet = async () => {
        const letter = await writeTo(await world().device(from, curve), recipient, 'hello');
        seen.push(headerOf(letter, curve).init!.withOneTime);
        expect(await recipient.read(letter)).toEqual({ content: 'hello' });
      };
      for (let i = 0; i < 3; i += 1) await meet();
      expect(await recipient.update()).toEqual(['getSelfOneTimePrekeys', 'postOneTimePrekeys']);
      expect(await recipient.update()).toEqual(['getSelfOneTimePrekeys']);
      for (let i = 0; i <= SUPPLY.low; i += 1) await meet();
      expect(seen).toEqual([true, true, false, true, true, true, false]);
    });

    it('a directory that lost the device gets the same identity and signed prekey back', async () => {
      const recipient = await world().device(to, curve);
      const [before, after, sender] = [
        await world().device(from, curve),
        await world().device(from, curve),
        await world().device(from, curve),
      ];
      await sender.read(await writeTo(recipient, sender, 'hello'));
      const underWay = await writeTo(before, recipient, 'under way');
      await world().directory.ask(recipient.device, { kind: 'deleteUser', suite: curve });
      const nobody = after.write([recipient], 'anyone?').catch((error: Error) => error.message);
      if (from === 'ours') expect(await nobody).toEqual([]);
      else expect(await nobody).toMatch(/failed to provide a key bundle/);
      expect(await recipient.update()).toEqual(['getSelfOneTimePrekeys', 'registerUser']);
      expect(await recipient.update()).toEqual(['getSelfOneTimePrekeys']);

      const found = await writeTo(after, recipient, 'found');
      expect(prekeyOf(found)).toBe(prekeyOf(underWay));
      expect(headerOf(found, curve).init).toMatchObject({ withOneTime: true });
      expect(await recipient.read(found)).toMatchObject({ content: 'found' });
      expect(await recipient.read(underWay)).toMatchObject({ content: 'under way' });
      const known = await writeTo(sender, recipient, 'as before');
      expect(headerOf(known, curve).init).toBeUndefined();
      expect(await recipient.read(known)).toMatchObject({ content: 'as before' });
    });

    it('a directory that lost everybody: known devices talk on, all republish themselves, and strangers meet again', async () => {
      const [sender, recipient] = [await world().device(from, curve), await world().device(to, curve)];
      await recipient.read(await writeTo(sender, recipient, 'before'));
      await sender.read(await writeTo(recipient, sender, 'before'));
      const empty = await world().anotherDirectory();
      for (const device of [sender, recipient]) await device.moveTo(empty);
      const during = await writeTo(sender, recipient, 'during');
      expect(headerOf(during, curve).init).toBeUndefined();
      const stranger = await world().device(from, curve, { directory: empty });
      const unheard = await stranger.write([recipient], 'anyone?').catch(() => []);
      expect(unheard).toEqual([]);
      for (const device of [sender, recipient])
        expect(await device.update()).toEqual(['getSelfOneTimePrekeys', 'registerUser']);
      expect(await recipient.read(during)).toMatchObject({ content: 'during' });
      for (const writer of [stranger, sender]) {
        const letter = await writeTo(writer, recipient, 'after');
        expect(headerOf(letter, curve).init !== undefined).toBe(writer === stranger);
        expect(await recipient.read(letter)).toMatchObject({ content: 'after' });
        expect(await writer.read(await writeTo(recipient, writer, 'welcome'))).toMatchObject({ content: 'welcome' });
      }
    });
  });
}
