/** What Linphones do when their LIME server goes, comes back, or shows another identity key. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Suite } from './suite.ts';

export function directory({ world, it }: Suite): void {
  it('the directory is killed: who know each other talk on, first contact fails; after its restart all works', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const carol = await world().person('carol');
    const [hers, his, theirs] = [await world().phone(alice), await world().phone(bob), await world().phone(carol)];
    const known = await world().room(hers, [bob], [his]);
    const unknown = await world().room(hers, [carol], [theirs]);
    await hers.says(known, 'one');
    expect(await his.linphone.next('message')).toMatchObject({ text: 'one' });

    await world().server.kill();
    await his.says(known, 'two');
    expect(await hers.linphone.next('message')).toMatchObject({ text: 'two', secured: true });
    await hers.failsToSay(unknown, 'hello carol');

    await world().server.start();
    await hers.says(unknown, 'hello again');
    expect(await theirs.linphone.next('message')).toMatchObject({ text: 'hello again', secured: true });
    await hers.says(known, 'three');
    expect(await his.linphone.next('message')).toMatchObject({ text: 'three', secured: true });
  });

  it('the directory is away when a Linphone is set up: it registers its keys at its next start', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const hers = await world().phone(alice);
    await world().server.kill();
    const his = await world().stranger(bob);
    const room = await world().room(hers, [bob], [his]);
    await his.failsToSay(room, 'is anybody there?');

    await world().server.start();
    await hers.failsToSay(room, 'are you there?');
    await world().end(his);
    const again = await world().phone(bob, { uuid: his.uuid, folder: his.folder });
    await hers.says(room, 'are you there now?');
    expect(await again.linphone.next('message')).toMatchObject({ text: 'are you there now?', secured: true });
  });

  it('a device comes back with another identity key, to a directory that lost the first: the other side does not take it', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const hers = await world().phone(alice);
    const { server, folder } = world();
    const backup = join(folder, 'backup');
    await server.stop();
    await cp(server.folder, backup, { recursive: true });
    await server.start();
    const his = await world().phone(bob);
    const room = await world().room(hers, [bob], [his]);
    await hers.says(room, 'is it you?');
    expect(await his.linphone.next('message')).toMatchObject({ secured: true });
    await his.says(room, 'yes');
    expect(await hers.linphone.next('message')).toMatchObject({ text: 'yes', secured: true });
    const { identities: before } = await world().identity(bob, his);
    await world().end(his);

    await server.stop();
    await rm(server.folder, { recursive: true });
    await cp(backup, server.folder, { recursive: true });
    await server.start();
    const reborn = await world().phone(bob, { uuid: his.uuid });
    const { identities: now } = await world().identity(bob, reborn);
    expect(now).not.toEqual(before);
    reborn.linphone.tell(`create ${alice.address}`);
    await reborn.linphone.next('room', { state: 'Created', room: room.name });
    await reborn.says(room, 'it is me, really');
    expect(await hers.linphone.next('undecryptable')).toMatchObject({ room: room.name, from: his.device });
    await hers.says(room, 'who are you?');
    expect(await reborn.linphone.next('undecryptable')).toMatchObject({ from: hers.device });
    expect(hers.linphone.events.filter(({ event }) => event === 'message')).toEqual([]);
  });
}
