/**
 * The drill (case K12): a server under traffic is backed up, killed and lost; restored elsewhere it is the same one to the devices
 * that knew it, with all that it had accepted before.
 */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { ServerProcess } from './faults/server-process.ts';
import { endAllProcesses, SourceProcess } from './faults/source-process.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { runtimeOver, takeTexts } from './person.ts';

jest.setTimeout(90_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-drill-'));
const clients: Client[] = [];

afterEach(async () => {
  for (const client of clients) await client.close();
  await endAllProcesses();
  rmSync(folder, { recursive: true });
});

it('K12: a server that was backed up under traffic, and restored elsewhere, has what it had accepted', async () => {
  const server = await ServerProcess.on(join(folder, 'data'), ['--when-store-damaged', 'stop']);
  await server.start();
  const register = async (name: string) => {
    const terms = {
      server: server.origin,
      name,
      storage: new MemoryStorage(),
      runtime: runtimeOver(new FlakyNetwork()),
    };
    const client = await Client.register(terms);
    clients.push(client);
    return client;
  };
  const command = async (...args: string[]) => {
    const run = new SourceProcess('apps/solo/src/main.ts', args);
    expect([args[0], await run.ended, run.stdout]).toEqual([args[0], 0, '']);
  };
  const [alice, bob] = [await register('alice'), await register('bob')];
  void alice.connect();

  const before: string[] = [];
  const say = async (text: string) => (await alice.send('bob', text)).accepted;
  for (let n = 0; n < 40; n++) {
    before.push(`before ${n}`);
    await say(before[n]!);
  }
  let isOver = false;
  const traffic = (async () => {
    for (let n = 0; !isOver; n++) await say(`meanwhile ${n}`);
  })();
  await command('backup', join(folder, 'backup'), '--data-dir', server.folder);
  isOver = true;
  await traffic;
  await server.kill();

  renameSync(server.folder, join(folder, 'lost'));
  await command('restore', join(folder, 'backup'), '--data-dir', server.folder);
  await server.start();
  // He comes for the first time, by the keys that were restored; she goes on with the login that she has.
  void bob.connect();
  const heard = await takeTexts(bob, before.length);
  expect(heard).toEqual(before);
  await say('and on');
  for (let text = ''; text !== 'and on'; ) [text = ''] = await takeTexts(bob, 1);
});
