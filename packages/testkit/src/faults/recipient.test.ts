/** kill -9 of a recipient's process between Deliver and acknowledgement, over folder storage and a real server (cases A03, A04). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { connectSocket } from '@sealwire/client/node/transport';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import type { RecipientMode } from './recipient-main.ts';
import { ServerProcess } from './server-process.ts';
import { endAllProcesses, SourceProcess } from './source-process.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-recipient-'));
let server: ServerProcess;
let alice: Client;

beforeAll(async () => {
  server = await ServerProcess.on(join(folder, 'server'));
  await server.start();
  const runtime = { crypto: nodeCrypto(), random: systemRandom, now: Date.now, fetch, connectSocket };
  alice = await Client.register({ server: server.origin, name: 'alice', storage: new MemoryStorage(), runtime });
  await alice.connect();
});

afterAll(async () => {
  await alice?.close();
  await endAllProcesses();
  rmSync(folder, { recursive: true });
});

function recipient(name: string, mode: RecipientMode, ...registering: string[]): SourceProcess {
  return new SourceProcess('packages/testkit/src/faults/recipient-main.ts', [join(folder, name), mode, ...registering]);
}

describe('kill -9 of the recipient', () => {
  it.each<[string, string, RecipientMode, string]>([
    ['A04: after the message arrived and before it was stored: it comes again', 'bob', 'hold-deliver', ''],
    [
      'A03: after the application saw it and before the acknowledgement left: it is not shown again',
      'carol',
      'hold-ack',
      'one\n',
    ],
  ])('%s', async (_what, name, mode, shownBefore) => {
    const registered = await recipient(name, 'good', server.origin, name).ended;
    expect(registered).toBe(0);
    await (await alice.send(name, 'one')).accepted;

    const first = recipient(name, mode);
    await first.says('held');
    if (shownBefore) await first.says(shownBefore);
    first.signal('SIGKILL');
    await first.ended;
    expect(first.stdout).toBe(shownBefore);

    await (await alice.send(name, 'two')).accepted;
    const second = recipient(name, 'good');
    expect(await second.ended).toBe(0);
    expect(`${first.stdout}${second.stdout}`).toBe('one\ntwo\n');
    const third = recipient(name, 'good');
    expect([await third.ended, third.stdout]).toEqual([0, '']);
  });
});
