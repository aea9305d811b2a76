/** A Linphone at its owner's command line: it waits, is admitted, and is removed (docs/operations/linphone.md section 3). */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { SourceProcess } from '../faults/source-process.ts';
import type { Suite } from './suite.ts';
import type { Person, World } from './world.ts';

type JsonRecord = Record<string, unknown>;

export function admission({ world, it }: Suite): void {
  it('it waits, is admitted with `sealwire devices admit`, and talks before, after, and after a restart', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const [hers, his] = [await world().phone(alice), await world().phone(bob)];
    const room = await world().room(hers, [bob], [his]);
    await hers.says(room, 'while you wait');
    expect(await his.linphone.next('message')).toMatchObject({ text: 'while you wait', secured: true });

    const sealwire = await commandLine(world(), bob);
    const [{ suite, identityKey } = { suite: '', identityKey: new Uint8Array(0) }] = (await world().identity(bob, his))
      .identities;
    const identities = [{ curve: suite, identityKey: Buffer.from(identityKey).toString('hex') }];
    const waiting = { id: his.device, state: 'waiting', curves: [world().curve], identities };
    expect(await sealwire('devices')).toContainEqual(expect.objectContaining(waiting));
    const admitted = await sealwire('devices', 'admit', his.device, '--yes');
    expect(admitted).toMatchObject([{ event: 'admitted', id: his.device }]);
    expect(await bob.client.devices.waiting()).toEqual([]);
    expect(await bob.client.devices.list()).toContainEqual(
      expect.objectContaining({ id: his.device, suites: [suite] }),
    );

    await his.says(room, 'once in');
    expect(await hers.linphone.next('message')).toMatchObject({ text: 'once in', secured: true });
    await world().end(his);
    const again = await world().stranger(bob, { uuid: his.uuid, folder: his.folder });
    await again.says(room, 'here again');
    expect(await hers.linphone.next('message')).toMatchObject({ text: 'here again', secured: true });
  });

  it('one that its owner removed is written to by nobody new, and cannot come back under its id with other keys', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const [hers, his] = [await world().phone(alice), await world().phone(bob)];
    await bob.client.devices.remove(his.device);
    const room = await world().room(hers, [bob], [his]);
    await hers.failsToSay(room, 'are you there?');
    // Keys of others it gets by its app password.
    await bob.client.account.revokeAppPassword(bob.passwordId);
    await his.failsToSay(room, 'am I?');

    await world().end(his);
    const { password } = await bob.client.account.makeAppPassword('Linphone, again');
    const reborn = await world().stranger(bob, { uuid: his.uuid, password });
    await hers.failsToSay(room, 'are you back?');
    expect(await bob.client.devices.waiting()).toEqual([]);
    expect(reborn.linphone.events.filter(({ event }) => event === 'message')).toEqual([]);
  });
}

/** `sealwire` on another device of that person: the records of a command that succeeds. */
async function commandLine({ folder, server }: World, { name, client }: Person) {
  const home = join(folder, name);
  await mkdir(home, { mode: 0o700 });
  const run = async (...args: string[]): Promise<JsonRecord[]> => {
    const env = { HOME: home, SEALWIRE_SERVER: server.origin };
    const process = new SourceProcess('apps/cli/src/main.ts', [...args, '--json'], env, home);
    const code = await process.ended;
    if (code !== 0) throw new Error(`sealwire ${args.join(' ')} ended with ${code}: ${process.stderr}`);
    return process.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as JsonRecord);
  };
  const secret = join(home, 'secret');
  await writeFile(secret, encodeBase64url(client.account.exportSecret()), { mode: 0o600 });
  await run('devices', 'join', '-u', name, '--secret-file', secret, '--no-passphrase');
  return run;
}
