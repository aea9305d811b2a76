/** The same device id with another identity key (lime-protocol section 11), as a second directory could show it. */
import { describe, expect } from '@jest/globals';
import { DIRECTIONS, type Kind, writeTo } from './correspondent.ts';
import type { Suite } from './suite.ts';

const REFUSED_TO_WRITE: Record<Kind, RegExp> = { ours: /another identity key/, liblime: /changed its Ik/ };
const REFUSED_TO_READ: Record<Kind, string> = { ours: 'identity-changed', liblime: 'fail' };

export function identityChange({ curve, world, it }: Suite): void {
  describe.each(DIRECTIONS)('%s comes back to %s with another identity key', (from, to) => {
    it('neither read nor written to, the old session goes on; accepted once the old key is forgotten', async () => {
      const [one, victim] = [await world().device(from, curve), await world().device(to, curve)];
      await victim.read(await writeTo(one, victim, 'hello'));
      await one.read(await writeTo(victim, one, 'hello'));
      const elsewhere = await world().anotherDirectory();
      await victim.moveTo(elsewhere);
      expect(await victim.update()).toEqual(['getSelfOneTimePrekeys', 'registerUser']);
      const impostor = await world().device(from, curve, { device: one.device, directory: elsewhere });

      const letter = await writeTo(impostor, victim, 'it is me');
      expect(await victim.read(letter)).toEqual({ refused: REFUSED_TO_READ[to] });
      expect(await victim.read(await writeTo(one, victim, 'still me'))).toMatchObject({ content: 'still me' });
      await victim.staleSessions(one);
      await expect(victim.write([impostor], 'who are you?')).rejects.toThrow(REFUSED_TO_WRITE[to]);
      const bystander = await world().device(from, curve, { directory: elsewhere });
      await expect(victim.write([bystander, impostor], 'both of you')).rejects.toThrow(REFUSED_TO_WRITE[to]);

      await victim.forget(one);
      expect(await victim.read(letter)).toEqual({ content: 'it is me' });
      expect(await impostor.read(await writeTo(victim, impostor, 'well'))).toMatchObject({ content: 'well' });
    });
  });
}
