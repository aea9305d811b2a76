/** What a lying server gets: docs/spec/client.md section 4, against servers that are made to lie. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { decodeEnvelope, encodeEnvelope } from '@sealwire/wire/envelope';
import { decodeAnswer, encodeAnswer } from '@sealwire/wire/lime-server';
import { decodeManifest, encodeManifest, type Manifest, manifestSigningInput } from '@sealwire/wire/manifest';
import { Company } from './company.ts';
import { type Person, take, takeTexts } from './person.ts';

const crypto = nodeCrypto();
const company = new Company();
let alice: Person;
let bob: Person;

beforeEach(async () => {
  alice = await company.person('alice');
  bob = await company.person('bob');
});

/** alice → bob, read by bob: sessions exist, and manifests are known. */
async function meet(): Promise<void> {
  await (await alice.client.send('bob', 'hello')).accepted;
  expect(await takeTexts(bob.client, 1)).toEqual(['hello']);
}

/** From now on alice gets this for bob's manifest. */
function serveManifest(answer: object): void {
  alice.network.intercept = async (request, ask) =>
    request.method === 'GET' && request.url.includes('/directory/manifests/bob') ? Response.json(answer) : ask();
}

function signed(accountSeed: Uint8Array, manifest: Manifest): object {
  const bytes = encodeManifest(manifest);
  const signature = crypto.ed25519.sign(accountSeed, manifestSigningInput(bytes));
  return {
    address: manifest.address,
    accountKey: encodeBase64url(crypto.ed25519.publicKey(accountSeed)),
    version: manifest.version,
    manifest: encodeBase64url(bytes),
    signature: encodeBase64url(signature),
  };
}

async function newestManifest(): Promise<{ manifest: Manifest; bytes: Uint8Array; answer: object }> {
  const answer = (await (await fetch(`${company.constellation.origin}/directory/manifests/bob`)).json()) as {
    manifest: string;
  };
  const bytes = decodeBase64url(answer.manifest);
  return { manifest: decodeManifest(bytes), bytes, answer };
}

describe('devices', () => {
  it('E02: a device added between look-up and send gets the message: refused once, then sent to all', async () => {
    await meet();
    const tablet = await company.anotherDevice(bob);
    await (await alice.client.send('bob', 'for both')).accepted;
    expect(alice.network.framesReceived('rejected')).toMatchObject([
      { code: 'device-mismatch', missing: [tablet.client.device] },
    ]);
    expect(await takeTexts(bob.client, 1)).toEqual(['for both']);
    expect(await takeTexts(tablet.client, 1)).toEqual(['for both']);
  });

  it('E02: an attempt that was accepted, its answer lost, and then refused: still one message for the recipient', async () => {
    await meet();
    alice.network.incoming = (frame) => (frame.kind === 'accepted' ? undefined : frame);
    const { accepted } = await alice.client.send('bob', 'once');
    expect(await takeTexts(bob.client, 1)).toEqual(['once']);
    const tablet = await company.anotherDevice(bob);
    alice.network.incoming = (frame) => frame;
    alice.network.cut();
    await accepted;
    await alice.client.send('bob', 'twice');
    expect(await takeTexts(bob.client, 1)).toEqual(['twice']);
    expect((await takeTexts(tablet.client, 1)).at(-1)).toMatch(/once|twice/);
  });

  it('S45: a removed device gets nothing more, is told, and does not come back', async () => {
    const tablet = await company.anotherDevice(bob);
    await meet();
    expect(await takeTexts(tablet.client, 1)).toEqual(['hello']);
    expect((await bob.client.devices.list()).map(({ id }) => id).sort()).toEqual(
      [bob.client.device, tablet.client.device].sort(),
    );
    const ended = take(tablet.client, 'message', 1);
    await bob.client.devices.remove(tablet.client.device);
    await expect(ended).rejects.toMatchObject({ code: 'device-removed' });
    expect(tablet.client.state).toBe('stopped');
    expect(tablet.network.links).toBe(1);
    await (await alice.client.send('bob', 'without the tablet')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['without the tablet']);
    const newest = alice.network.framesSent('send').at(-1)!;
    expect(newest.parts.map(({ device }) => device)).toEqual([bob.client.device]);
    expect((await alice.client.trust.peer('bob')).devices.map(({ id }) => id)).toEqual([bob.client.device]);
    await expect(tablet.client.send('alice', 'still there')).rejects.toMatchObject({ code: 'device-removed' });
  });

  it('S45: a removal whose second half failed is repeated whole; a device that is nowhere is told', async () => {
    const tablet = await company.anotherDevice(bob);
    bob.network.intercept = async (request, ask) => {
      if (request.method === 'PUT') throw new TypeError('fetch failed');
      return ask();
    };
    const { device } = tablet.client;
    await expect(bob.client.devices.remove(device)).rejects.toMatchObject({ code: 'unreachable' });
    bob.network.intercept = (_request, ask) => ask();
    await bob.client.devices.remove(device);
    expect((await alice.client.trust.peer('bob')).devices.map(({ id }) => id)).toEqual([bob.client.device]);
    await expect(bob.client.devices.remove(device)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('a device that the server has cut off is left out, though its manifest is not mended yet', async () => {
    const tablet = await company.anotherDevice(bob);
    await meet();
    await company.constellation.store.devices.remove(tablet.client.device, Date.now());
    await (await alice.client.send('bob', 'to the rest')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['to the rest']);
  });

  it('deleting the account ends all its devices; others learn of it when they write', async () => {
    await meet();
    const tablet = await company.anotherDevice(bob);
    const ended = take(tablet.client, 'message', 1);
    await bob.client.account.delete();
    await expect(ended).rejects.toMatchObject({
      code: expect.stringMatching(/device-removed|login-refused|account-lost/),
    });
    const { accepted } = await alice.client.send('bob', 'anybody there?');
    await expect(accepted).rejects.toMatchObject({ code: 'unknown-account' });
  });
});

describe('a lying server', () => {
  it('E06, S37: a ghost device that bob never signed gets nothing, and the message is not sent', async () => {
    await meet();
    const ghost = `${bob.client.address};gr=urn:uuid:00000000-0000-4000-8000-000000000000`;
    alice.network.outgoing = (frame) => {
      if (frame.kind !== 'send') return frame;
      queueMicrotask(() => refuse(frame.id));
      return undefined;
    };
    const refuse = (id: Uint8Array) =>
      alice.network.inject({
        kind: 'rejected',
        id: id as never,
        code: 'device-mismatch',
        text: '',
        retryable: true,
        retryAfterMs: 0,
        missing: [ghost as never],
        extra: [],
        full: [],
      });
    const { accepted } = await alice.client.send('bob', 'secret');
    await expect(accepted).rejects.toMatchObject({ code: 'ghost-device' });
  });

  it('E06: a manifest that bob’s account key did not sign is refused', async () => {
    await meet();
    const { manifest, bytes } = await newestManifest();
    const forged = signed(systemRandom(32), { ...manifest, version: 2, previous: crypto.sha256(bytes) });
    serveManifest({ ...forged, accountKey: encodeBase64url((await alice.client.trust.peer('bob')).accountKey) });
    await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'manifest-invalid' });
  });

  it('another account key is refused until the user forgets the old one', async () => {
    await meet();
    const { manifest } = await newestManifest();
    serveManifest(signed(systemRandom(32), manifest));
    await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'account-key-changed' });
    await alice.client.trust.forget('bob');
    expect((await alice.client.trust.peer('bob')).manifestVersion).toBe(1);
  });

  it('S38: an older list of devices is refused', async () => {
    const { answer } = await newestManifest();
    await company.anotherDevice(bob);
    expect((await alice.client.trust.peer('bob')).manifestVersion).toBe(2);
    serveManifest(answer);
    await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'manifest-rollback' });
    alice.network.intercept = (_request, ask) => ask();
    expect((await alice.client.trust.peer('bob')).devices).toHaveLength(2);
  });

  it('S38: a signed list that does not follow from the known one is refused', async () => {
    await meet();
    await alice.client.trust.peer('bob');
    const { manifest } = await newestManifest();
    const seed = bob.client.account.exportSecret();
    serveManifest(signed(seed, { ...manifest, version: 2, previous: systemRandom(32) }));
    await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'manifest-fork' });
    serveManifest(signed(seed, { ...manifest, issuedAt: manifest.issuedAt + 1 }));
    await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'manifest-fork' });
  });

  it('a list that is several versions ahead is followed through the history', async () => {
    expect((await alice.client.trust.peer('bob')).manifestVersion).toBe(1);
    await company.anotherDevice(bob);
    await company.anotherDevice(bob);
    await company.anotherDevice(bob);
    expect(await alice.client.trust.peer('bob')).toMatchObject({ manifestVersion: 4 });
  });

  it('D18, S49: a swapped identity key blocks the send, makes the device unsafe, and waits for the user', async () => {
    await alice.client.trust.peer('bob');
    await alice.client.trust.set(bob.client.device, 'trusted');
    alice.network.intercept = async (request, ask) => {
      const answer = await ask();
      if (!request.url.endsWith('/lime')) return answer;
      const decoded = decodeAnswer(new Uint8Array(await answer.arrayBuffer()), 'c25519');
      if (decoded.kind !== 'peerBundle') throw new Error('unexpected request');
      const identityKey = crypto.ed25519.publicKey(systemRandom(32));
      const peers = decoded.peers.map(({ device, bundle }) => ({
        device,
        bundle: bundle && { ...bundle, identityKey },
      }));
      return new Response(encodeAnswer({ ...decoded, peers }));
    };
    const { accepted } = await alice.client.send('bob', 'secret');
    await expect(accepted).rejects.toMatchObject({ code: 'identity-mismatch' });
    expect(await take(alice.client, 'identity-change', 1)).toEqual([
      { kind: 'identity-change', device: bob.client.device },
    ]);
    expect((await alice.client.trust.peer('bob')).devices[0]!.trust).toBe('unsafe');
    await expect(alice.client.send('bob', 'secret')).rejects.toMatchObject({ code: 'unsafe-device' });
    expect(alice.network.framesSent('send')).toEqual([]);

    alice.network.intercept = (_request, ask) => ask();
    await alice.client.trust.acceptIdentityChange(bob.client.device);
    expect((await alice.client.trust.peer('bob')).devices[0]!.trust).toBe('untrusted');
    await (await alice.client.send('bob', 'again')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['again']);
  });

  it('a message under the name of a device outside the sender’s manifest is refused', async () => {
    await meet();
    const ghost = `${alice.client.address};gr=urn:uuid:00000000-0000-4000-8000-000000000000`;
    bob.network.incoming = (frame) => (frame.kind === 'deliver' ? { ...frame, sender: ghost as never } : frame);
    await alice.client.send('bob', 'who is this?');
    const [event] = await take(bob.client, 'undecryptable', 1);
    expect(event).toMatchObject({ device: ghost, code: 'ghost-device' });
  });

  it('a message that was encrypted for somebody else is not shown as one for us', async () => {
    await meet();
    bob.network.incoming = (frame) => {
      if (frame.kind !== 'deliver') return frame;
      const envelope = decodeEnvelope(frame.body);
      return { ...frame, body: encodeEnvelope({ ...envelope, recipientUser: 'sip:carol@example.org' as never }) };
    };
    await alice.client.send('bob', 'for carol?');
    expect(await take(bob.client, 'undecryptable', 1)).toMatchObject([{ code: 'wrong-recipient' }]);
  });

  it('a message of an engine that is not here is reported by its code', async () => {
    await meet();
    bob.network.incoming = (frame) =>
      frame.kind === 'deliver'
        ? { ...frame, body: encodeEnvelope({ ...decodeEnvelope(frame.body), engine: 'mls' }) }
        : frame;
    await alice.client.send('bob', 'from the future');
    expect(await take(bob.client, 'undecryptable', 1)).toMatchObject([{ code: 'unknown-engine' }]);
  });

  it('trust is the user’s word: kept over restarts, lost with the device', async () => {
    await meet();
    await alice.client.trust.set(bob.client.device, 'trusted');
    await bob.client.send('alice', 'am I trusted?');
    expect(await take(alice.client, 'message', 1)).toMatchObject([{ trust: 'trusted' }]);
    await alice.client.trust.set(bob.client.device, 'unsafe');
    await expect(alice.client.send('bob', 'no')).rejects.toMatchObject({ code: 'unsafe-device' });
    await alice.client.trust.set(bob.client.device, 'untrusted');
    await (await alice.client.send('bob', 'yes')).accepted;
    const stranger = `${bob.client.address};gr=urn:uuid:00000000-0000-4000-8000-000000000000`;
    await expect(alice.client.trust.set(stranger as never, 'trusted')).rejects.toMatchObject({
      code: 'unknown-device',
    });
  });
});
