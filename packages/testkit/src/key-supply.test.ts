/** Devices without keys, and the two forms of a LIME message, as they travel (docs/spec/client.md sections 5 and 7). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { decodeEnvelope } from '@sealwire/wire/envelope';
import { type Constellation, startConstellation } from './constellation.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { BOTH_CURVES, join, type Person, register, runtimeOver, take, takeTexts } from './person.ts';

let constellation: Constellation;
let clients: Client[];
let alice: Person;

beforeEach(async () => {
  constellation = await startConstellation();
  alice = await register(constellation, 'alice', { curves: BOTH_CURVES });
  clients = [alice.client];
  await alice.client.connect();
});

afterEach(async () => {
  for (const client of clients) await client.close();
  await constellation.stop();
});

/** A network on which nothing reaches the key directory. */
function withoutDirectory(): FlakyNetwork {
  const network = new FlakyNetwork();
  network.intercept = async (request, ask) => {
    if (request.url.endsWith('/lime')) throw new TypeError('fetch failed');
    return ask();
  };
  return network;
}

describe('a device without keys', () => {
  it('does not keep the others from the message, and says later that it could not read it', async () => {
    const bob = await register(constellation, 'bob');
    clients.push(bob.client);
    await bob.client.connect();
    const storage = new MemoryStorage();
    const joining = {
      server: constellation.origin,
      name: 'bob',
      accountSecret: bob.client.account.exportSecret(),
      storage,
    };
    const half = Client.join({ ...joining, runtime: runtimeOver(withoutDirectory()) });
    await expect(half).rejects.toMatchObject({ code: 'unreachable' });
    await storage.close();
    await (await alice.client.send('bob', 'for whom it may reach')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['for whom it may reach']);

    const tablet = await Client.join({ ...joining, runtime: runtimeOver(new FlakyNetwork()) });
    clients.push(tablet);
    await tablet.connect();
    expect(await take(tablet, 'undecryptable', 1)).toMatchObject([{ code: 'no-content', device: alice.client.device }]);
    await (await alice.client.send('bob', 'now for both')).accepted;
    expect(await takeTexts(tablet, 1)).toEqual(['now for both']);
  });

  it('is waited for when there is no other: the message leaves when the keys are there', async () => {
    const storage = new MemoryStorage();
    const registering = { server: constellation.origin, name: 'bob', storage };
    const half = Client.register({ ...registering, runtime: runtimeOver(withoutDirectory()) });
    await expect(half).rejects.toMatchObject({ code: 'unreachable' });
    await storage.close();
    const { accepted } = await alice.client.send('bob', 'patience');
    const bob = await Client.register({ ...registering, runtime: runtimeOver(new FlakyNetwork()) });
    clients.push(bob);
    await bob.connect();
    await accepted;
    expect(await takeTexts(bob, 1)).toEqual(['patience']);
  });
});

describe('the form of a message', () => {
  const sharedPart = () => decodeEnvelope(alice.network.framesSent('send').at(-1)!.body).cipherMessage.length;

  it('S30: to one device it is direct, nothing is shared; to many a long text is encrypted once', async () => {
    const bob = await register(constellation, 'bob', { curves: BOTH_CURVES });
    clients.push(bob.client);
    await bob.client.connect();
    const long = 'long '.repeat(1_000);
    await (await alice.client.send('bob', long)).accepted;
    expect(sharedPart()).toBe(0);
    expect(await takeTexts(bob.client, 1)).toEqual([long]);
    const tablet = await join(constellation, bob, { curves: ['c448'] });
    clients.push(tablet.client);
    await tablet.client.connect();
    await (await alice.client.send('bob', long)).accepted;
    expect(sharedPart()).toBeGreaterThan(long.length);
    expect(await takeTexts(bob.client, 1)).toEqual([long]);
    expect(await takeTexts(tablet.client, 1)).toEqual([long]);
    const { parts, body } = alice.network.framesSent('send').at(-1)!;
    expect(parts.map(({ device }) => device).sort()).toEqual([bob.client.device, tablet.client.device].sort());
    expect(body.length + parts.reduce((sum, { content }) => sum + content.length, 0)).toBeLessThan(1.2 * long.length);
  });
});
