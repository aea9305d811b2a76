/** A Linphone at its owner's command line: it waits, is admitted, and is removed (docs/operations/linphone.md section 3). */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { SourceProcess } from '../faults/source-process.ts';
import type { Suite } from './suite.ts';
import type { World } from './world.ts';

type JsonRecord = Record<string, unknown>;

export function admission({ world, it }: Suite): void {
  it('it waits, is shown with its keys, is admitted with `sealwire devices admit` and talks on, also after a restart; once removed, it is out', async () => {
    const [alice, carol] = [await world().person('alice'), await world().person('carol')];
    const [hers, theirs] = [await world().phone(alice), await world().phone(carol)];
    const run = await commandLine(world(), 'bob');
    await run('register', '-u', 'bob', '--no-passphrase');
    const [made] = await run('app-passwords', 'make', 'Linphone');
    const bob = { name: 'bob', address: parseAccountAddress('sip:bob@example.org'), password: made!.password as string };
    let his = await world().stranger(bob);
    const stateOf = async () => (await run('devices')).find(({ id }) => id === his.device);

    const room = await world().room(hers, [bob], [his]);
    while ((await stateOf()) === undefined);
    expect(await stateOf()).toMatchObject({ state: 'waiting', curves: [world().curve] });
    await hers.says(room, 'while you wait');
    expect(await his.linphone.next('message')).toMatchObject({ text: 'while you wait', secured: true });

    expect(await run('devices', 'admit', his.device, '--yes')).toMatchObject([{ event: 'admitted', id: his.device }]);
    expect(await stateOf()).toMatchObject({ state: 'listed', curves: [world().curve] });
    await world().end(his);
    his = await world().stranger(bob, { uuid: his.uuid, folder: his.folder });
    await his.says(room, 'here again');
    expect(await hers.linphone.next('message')).toMatchObject({ text: 'here again', secured: true });

    await run('devices', 'remove', his.device);
    expect(await stateOf()).toBeUndefined();
    const another = await world().room(theirs, [bob], [his]);
    await theirs.failsToSay(another, 'are you there?');
    // What it may still ask the directory for, it may by its app password.
    const [password] = await run('app-passwords');
    await run('app-passwords', 'revoke', password!.id as string);
    await his.failsToSay(another, 'am I?');

    const [again] = await run('app-passwords', 'make', 'Linphone, again');
    await world().end(his);
    const reborn = await world().stranger(bob, { uuid: his.uuid, password: again!.password as string });
    await theirs.failsToSay(another, 'are you back?');
    expect(await stateOf()).toBeUndefined();
    expect(reborn.linphone.events.filter(({ event }) => event === 'message')).toEqual([]);
  });
}

/** `sealwire` of one person: the records of a command that succeeds. */
async function commandLine({ folder, server }: World, name: string) {
  const home = join(folder, name);
  await mkdir(home, { mode: 0o700 });
  return async (...args: string[]): Promise<JsonRecord[]> => {
    const env = { HOME: home, SEALWIRE_SERVER: server.origin };
    const process = new SourceProcess('apps/cli/src/main.ts', [...args, '--json'], env, home);
    const code = await process.ended;
    if (code !== 0) throw new Error(`sealwire ${args.join(' ')} ended with ${code}: ${process.stderr}`);
    return process.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as JsonRecord);
  };
}
