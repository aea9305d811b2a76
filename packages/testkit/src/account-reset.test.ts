/** An account whose owner has lost everything, and whose name gets another key by a code of the operator: docs/spec/recovery.md sections 3 and 4. */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RESETS_PATH, resetCommands } from '@sealwire/api/reset-codes';
import { Client } from '@sealwire/client/client';
import type { IncomingEvent } from '@sealwire/client/events';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { silentLog } from '@sealwire/service/log';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { decodeManifest, encodeManifest, manifestSigningInput } from '@sealwire/wire/manifest';
import { Company } from './company.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { join, type Person, runtimeOver, take, takeTexts } from './person.ts';

jest.setTimeout(30_000);

const crypto = nodeCrypto();
const company = new Company(1);
let alice: Person;
let bob: Person;

beforeEach(async () => {
  [alice, bob] = [await company.person('alice'), await company.person('bob')];
  await (await alice.client.send('bob', 'before')).accepted;
  await takeTexts(bob.client, 1);
  await bob.client.trust.set(alice.client.device, 'trusted');
});

async function codeFor(name: string): Promise<string> {
  const { store, domain } = company.constellation;
  const terms = { store, domain, crypto, random: systemRandom, now: Date.now, log: silentLog };
  return (await resetCommands(terms)[RESETS_PATH]({ name, days: 1 })).code;
}

/** The owner begins anew on another machine. */
async function begin(resetCode: string, storage = new MemoryStorage(), network = new FlakyNetwork()): Promise<Client> {
  const runtime = runtimeOver(network);
  const client = await Client.register({
    server: company.constellation.origin,
    name: 'alice',
    storage,
    runtime,
    resetCode,
  });
  company.clients.push(client);
  return client;
}

const resetOf = (name: string) => ({ kind: 'account-reset', address: `sip:${name}@example.org` });

describe('an account that the operator let be reset', () => {
  it('S44: every contact is told once; trust drops, and nothing is sent until the user accepts the new key', async () => {
    const phone = await begin(await codeFor('alice'));
    await phone.connect();
    const { accepted } = await bob.client.send('alice', 'secret');
    await expect(accepted).rejects.toMatchObject({ code: 'account-key-changed' });
    const [event] = await take(bob.client, 'account-reset', 1);
    expect(event).toMatchObject({ ...resetOf('alice'), text: expect.stringContaining('in another way') });
    await expect(bob.client.send('alice', 'secret')).rejects.toMatchObject({ code: 'unsafe-device' });
    await expect(bob.client.trust.peer('alice')).rejects.toMatchObject({ code: 'account-key-changed' });
    const known = bob.client.trust.peers().find(({ address }) => address === alice.client.address)!;
    expect(known.devices).toMatchObject([{ id: alice.client.device, trust: 'unsafe' }]);

    const accepted2 = await bob.client.trust.acceptReset('alice', known.shownKey);
    expect(accepted2.devices).toMatchObject([{ id: phone.device, trust: 'untrusted' }]);
    await (await bob.client.send('alice', 'welcome back')).accepted;
    expect(await takeTexts(phone, 1)).toEqual(['welcome back']);
    await (await phone.send('bob', 'thank you')).accepted;
    // The event was told once, whatever was asked meanwhile.
    const events = await eventsUntil(bob.client, 'message');
    expect(events.map(({ kind }) => kind)).not.toContain('account-reset');
  });

  it('S44: its old devices are told, cut off, and give the server nothing back', async () => {
    const tablet = await join(company.constellation, alice);
    company.clients.push(tablet.client);
    await tablet.client.close();
    const told = take(alice.client, 'account-reset', 1);
    const phone = await begin(await codeFor('alice'));
    await phone.connect();
    expect(await told).toMatchObject([resetOf('alice')]);
    const removed = { code: 'device-removed', message: expect.stringContaining('the account was reset on its server') };
    await expect(alice.client.connect()).rejects.toMatchObject(removed);
    // One that was away hears it when it comes back, though its list is the longer one.
    const back = await Client.open({ storage: tablet.storage, runtime: runtimeOver(new FlakyNetwork()) });
    company.clients.push(back);
    await expect(back.connect()).rejects.toMatchObject(removed);
    expect((await phone.devices.list()).map(({ id }) => id)).toEqual([phone.device]);
    // Neither can the secret of the key before be of use.
    const secret = {
      ...alice,
      client: { address: alice.client.address, account: { exportSecret: () => alice.client.account.exportSecret() } },
    };
    await expect(join(company.constellation, secret as unknown as Person)).rejects.toMatchObject({
      code: 'wrong-account-secret',
    });
  });

  it('somebody who is written to by it first is told as well', async () => {
    const phone = await begin(await codeFor('alice'));
    await phone.connect();
    await (await phone.send('bob', 'it is me')).accepted;
    const events = await eventsUntil(bob.client, 'undecryptable');
    expect(events).toMatchObject([resetOf('alice'), { kind: 'undecryptable', code: 'account-key-changed' }]);
    await bob.client.trust.acceptReset('alice');
    await (await phone.send('bob', 'again')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['again']);
  });

  it('goes on after a lost answer, with the same keys; a bad code leaves the storage free', async () => {
    const code = await codeFor('alice');
    const storage = new MemoryStorage();
    await expect(begin('no-such-code', storage)).rejects.toMatchObject({ code: 'reset-code-invalid' });
    await storage.close();
    const network = new FlakyNetwork();
    network.intercept = async (request, ask) => {
      const answer = await ask();
      if (!request.url.endsWith('/v1/resets')) return answer;
      network.up = false;
      throw new TypeError('fetch failed');
    };
    await expect(begin(code, storage, network)).rejects.toMatchObject({ code: 'unreachable' });
    await storage.close();
    const phone = await begin(code, storage);
    await phone.connect();
    expect((await phone.devices.list()).map(({ id }) => id)).toEqual([phone.device]);
  });
});

describe('a lying server', () => {
  /** From now on bob is shown a list of alice's that another key signed. */
  function swapKey(seed = systemRandom(32)): Uint8Array {
    bob.network.intercept = async (request, ask) => {
      const answer = await ask();
      if (request.method !== 'GET' || !request.url.endsWith('/directory/manifests/alice')) return answer;
      const shown = (await answer.json()) as { manifest: string };
      const manifest = decodeManifest(Buffer.from(shown.manifest, 'base64url'));
      const bytes = encodeManifest(manifest);
      return Response.json({
        ...shown,
        accountKey: encodeBase64url(crypto.ed25519.publicKey(seed)),
        manifest: encodeBase64url(bytes),
        signature: encodeBase64url(crypto.ed25519.sign(seed, manifestSigningInput(bytes))),
      });
    };
    return crypto.ed25519.publicKey(seed);
  }

  it('T186: that shows another key, for a moment even, is told of by the same event, and gets no message until the user decides', async () => {
    swapKey();
    await expect(bob.client.trust.peer('alice')).rejects.toMatchObject({ code: 'account-key-changed' });
    bob.network.intercept = (_request, ask) => ask();
    expect(await take(bob.client, 'account-reset', 1)).toMatchObject([resetOf('alice')]);
    // As if nothing had been.
    expect((await bob.client.trust.peer('alice')).accountKey).toEqual(
      crypto.ed25519.publicKey(alice.client.account.exportSecret()),
    );
    await expect(bob.client.send('alice', 'secret')).rejects.toMatchObject({ code: 'unsafe-device' });
    await bob.client.trust.set(alice.client.device, 'trusted');
    await (await bob.client.send('alice', 'it was a lie')).accepted;
    expect(await takeTexts(alice.client, 1)).toEqual(['it was a lie']);
  });

  it('T186: that shows yet another key than the one the user compared is believed in neither', async () => {
    const compared = swapKey();
    await expect(bob.client.trust.peer('alice')).rejects.toMatchObject({ code: 'account-key-changed' });
    swapKey();
    await expect(bob.client.trust.acceptReset('alice', compared)).rejects.toMatchObject({
      code: 'account-key-changed',
    });
    await expect(bob.client.send('alice', 'secret')).rejects.toMatchObject({ code: 'unsafe-device' });
    await expect(bob.client.trust.acceptReset('bob')).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('without a reset there is nothing to accept', async () => {
    await expect(bob.client.trust.acceptReset('alice')).rejects.toMatchObject({ code: 'forbidden' });
  });
});

async function eventsUntil(client: Client, kind: IncomingEvent['kind']): Promise<IncomingEvent[]> {
  const events: IncomingEvent[] = [];
  const enough = new AbortController();
  for await (const event of client.messages({ signal: enough.signal })) {
    if (event.kind === 'caught-up') continue;
    events.push(event);
    if (event.kind === kind) enough.abort();
  }
  return events;
}
