/** App passwords as Linphone uses them (docs/operations/linphone.md section 2): wrong, somebody else's, revoked, replaced. */
import { expect } from '@jest/globals';
import type { Suite } from './suite.ts';

export function credentials({ world, it }: Suite): void {
  it('with a wrong app password, or another account’s, it is unknown to the directory: nothing is encrypted to it or by it', async () => {
    const alice = await world().person('alice');
    const hers = await world().phone(alice);
    for (const password of ['guessed', alice.password]) {
      const bob = await world().person('bob');
      const his = await world().stranger(bob, { password });
      const room = await world().room(his, [alice], [hers]);
      await hers.failsToSay(room, 'are you there?');
      await his.failsToSay(room, 'here I am');
      expect(await bob.client.devices.waiting()).toEqual([]);
      expect(his.linphone.events.filter(({ event }) => event === 'message')).toEqual([]);
      await world().end(his);
    }
  });

  it('with a revoked app password it gets no more keys; those that it has go on; a new one mends it', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const carol = await world().person('carol');
    const [hers, his, theirs] = [await world().phone(alice), await world().phone(bob), await world().phone(carol)];
    const known = await world().room(his, [alice], [hers]);
    await his.says(known, 'before');
    expect(await hers.linphone.next('message')).toMatchObject({ text: 'before' });

    await bob.client.account.revokeAppPassword(bob.passwordId);
    const unknown = await world().room(his, [carol], [theirs]);
    await his.failsToSay(unknown, 'hello carol');
    await his.says(known, 'after');
    expect(await hers.linphone.next('message')).toMatchObject({ text: 'after', secured: true });

    const { password } = await bob.client.account.makeAppPassword('Linphone, again');
    await world().end(his);
    const again = await world().phone(bob, { password, uuid: his.uuid, folder: his.folder });
    await again.says(unknown, 'hello again');
    expect(await theirs.linphone.next('message')).toMatchObject({ text: 'hello again', secured: true });
  });
}
