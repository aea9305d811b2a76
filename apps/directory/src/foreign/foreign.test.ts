/** Two directories of two domains, each a server of its own, that ask each other; and peers that are down, slow, or lie. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { twinOf } from '@sealwire/crypto/testing/twin';
import { decodeBase64url } from '@sealwire/wire/base64url';
import {
  decodeAnswer,
  encodeAnswer,
  encodeRequest,
  LIME_CONTENT_TYPE,
  LIME_ERRORS,
  type LimeAnswer,
  type LimePeer,
  type LimeRequest,
  SUITE_NAMES,
} from '@sealwire/wire/lime-server';
import type { DirectorySettings } from '../settings.ts';
import { enrol, testDevice } from '../testing/device.ts';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';
import { createForeignDirectories } from './foreign-directories.ts';
import { foreignPeers } from './foreign-peer.ts';
import type { PeerDirectory } from './peer-settings.ts';
import { createPeerSigner } from './peer-tokens.ts';

const HERE = 'example.org';
const THERE = 'example.com';
const alice = testDevice(crypto, 'alice');
const bob = testDevice(crypto, 'bob');
const carol = testDevice(crypto, 'carol', 'phone', THERE);
const dave = testDevice(crypto, 'dave', 'phone', THERE);
const eve = testDevice(crypto, 'eve', 'phone', 'example.net');
const SUITE = 'c25519';

const ourSeed = crypto.sha256(Buffer.from('key of example.org'));
const theirSeed = crypto.sha256(Buffer.from('key of example.com'));
const publicKeyOf = (seed: Uint8Array) => crypto.ed25519.publicKey(seed);
const peer = (domain: string, seed: Uint8Array, url = 'http://127.0.0.1:1/directory/lime'): PeerDirectory => ({
  domain,
  url: new URL(url),
  publicKey: publicKeyOf(seed),
});

let here: Fixture | undefined;
let there: Fixture | undefined;
let liar: Server | undefined;
afterEach(async () => {
  await here?.close();
  await there?.close();
  liar?.closeAllConnections();
  await new Promise((resolve) => (liar ? liar.close(resolve) : resolve(undefined)));
  here = there = liar = undefined;
});

async function startThere(settings: Partial<DirectorySettings> = {}) {
  there = await startFixture({ DOMAIN: THERE, PEER_DIRECTORIES: [peer(HERE, ourSeed)], ...settings });
  for (const device of [carol, dave]) await enrol(there.store, device);
  for (const device of [carol, dave]) await there.lime(device, device.registration(SUITE, 1, 2, 3, 4, 5));
  return there;
}

async function startHere(url: string, settings: Partial<DirectorySettings> = {}) {
  here = await startFixture({ PEER_DIRECTORIES: [peer(THERE, theirSeed, url)], PEER_KEY: ourSeed, ...settings });
  for (const device of [alice, bob]) await enrol(here.store, device);
  await here.lime(bob, bob.registration(SUITE, 1, 2, 3));
  return here;
}

async function startBoth(ours: Partial<DirectorySettings> = {}, theirs: Partial<DirectorySettings> = {}) {
  await startThere(theirs);
  await startHere(`${there!.listening.url}/directory/lime`, ours);
}

/** A peer that does as it likes. */
async function startLiar(answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void) {
  liar = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => liar!.listen(0, '127.0.0.1', resolve));
  await startHere(`http://127.0.0.1:${(liar.address() as AddressInfo).port}/directory/lime`);
}

const block = ({ store }: Fixture, domain: string) =>
  store.operatorRecords.replace('domain', 0, { key: domain, version: 1, text: '{}' });
const idsOf = (peers: readonly LimePeer[]) =>
  peers.map(({ bundle }) => bundle && (bundle.oneTimePrekey?.id ?? 'without'));
const ask = async (...devices: string[]) => here!.bundles(alice, SUITE, ...devices);
const results = async () =>
  [...(await here!.metrics.text()).matchAll(/foreign_requests_total\{result="(\w+)"\} (\d+)/g)].map(
    ([, result, count]) => `${result} ${count}`,
  );

describe('devices of another domain', () => {
  it('are asked for at their own directory, and merged in order, repeats and strangers included', async () => {
    await startBoth();
    const asked = [carol.id, bob.id, 'not an id', dave.id, eve.id, carol.id, `${carol.address};gr=ghost`, bob.id];
    const peers = await ask(...asked);
    expect(peers.map(({ device }) => device)).toEqual(asked);
    expect(idsOf(peers)).toEqual([1, 1, undefined, 1, undefined, 2, undefined, 2]);
    expect(Buffer.from(peers[0]!.bundle!.identityKey)).toEqual(Buffer.from(carol.identityKey(SUITE)));
    expect(await results()).toEqual(['answered 1']);
  });

  it.each(SUITE_NAMES)('on suite %s', async (suite) => {
    await startBoth();
    await there!.lime(dave, { kind: 'deleteUser', suite: suite });
    await there!.lime(dave, dave.registration(suite, 7));
    const [found] = await here!.bundles(alice, suite, dave.id);
    expect(Buffer.from(found!.bundle!.signedPrekey.publicKey)).toEqual(Buffer.from(dave.signedPrekey(suite).publicKey));
    expect(found!.bundle!.oneTimePrekey!.id).toBe(7);
  });

  it('are asked for by their domain however it is written: domains have no case, devices are as their id is', async () => {
    await startThere({ OPEN_MODE: 'on' });
    await startHere(`${there!.listening.url}/directory/lime`, { OPEN_MODE: 'on' });
    const inCapitals = (device: typeof carol) => device.id.replace(/@[^;]+/, (domain) => domain.toUpperCase());
    const openly = (fixture: Fixture, from: string, request: LimeRequest) =>
      fixture.limeRaw(encodeRequest(request), { from, 'content-type': LIME_CONTENT_TYPE });
    const twin = testDevice(crypto, 'twin', 'phone', THERE);
    await openly(there!, inCapitals(carol), twin.registration(SUITE, 9));
    const devices = [carol.id, inCapitals(carol), inCapitals(dave)];
    const { body } = await openly(here!, inCapitals(alice), { kind: 'getPeerBundle', suite: SUITE, devices });
    const { peers } = decodeAnswer(body, SUITE) as LimeAnswer & { kind: 'peerBundle' };
    expect(peers.map(({ device }) => device)).toEqual(devices);
    expect(idsOf(peers)).toEqual([1, 9, undefined]);
    expect(await results()).toEqual(['answered 1']);
  });

  it('D17: spellings of a domain are one domain to its limits', async () => {
    await startBoth({}, { BUNDLES_PER_PEER: 2 });
    await here!.close();
    await startHere(`${there!.listening.url}/directory/lime`, { OPEN_MODE: 'on' });
    const given = [];
    for (const domain of ['example.org', 'Example.org', 'EXAMPLE.ORG']) {
      const headers = { from: `sip:alice@${domain};gr=x`, 'content-type': LIME_CONTENT_TYPE };
      const request = encodeRequest({ kind: 'getPeerBundle', suite: SUITE, devices: [dave.id] });
      const answer = decodeAnswer((await here!.limeRaw(request, headers)).body, SUITE);
      given.push(...idsOf((answer as LimeAnswer & { kind: 'peerBundle' }).peers));
    }
    expect(given).toEqual([1, 2, undefined]);
  });

  it('have no bundle where their domain is no peer, and without a key of ours', async () => {
    await startThere();
    await startHere(`${there!.listening.url}/directory/lime`, { PEER_KEY: undefined });
    expect(idsOf(await ask(carol.id, bob.id, eve.id))).toEqual([undefined, 1, undefined]);
    expect(await results()).toEqual(['skipped 1']);
  });

  it('D12: limits hold over there for the one who asks here', async () => {
    await startBoth({}, { BUNDLES_PER_PAIR: 2 });
    expect(idsOf(await ask(carol.id, carol.id, carol.id, dave.id))).toEqual([1, 2, 'without', 1]);
    expect(idsOf(await here!.bundles(bob, SUITE, carol.id))).toEqual([3]);
  });

  it('D12: one domain takes at most half of what a device gives in an hour, whoever it says that it asks for', async () => {
    await startBoth({}, { BUNDLES_PER_TARGET: 4 });
    expect(idsOf(await ask(carol.id, carol.id, carol.id))).toEqual([1, 2, 'without']);
    expect(idsOf(await here!.bundles(bob, SUITE, carol.id))).toEqual(['without']);
    expect(idsOf(await there!.bundles(dave, SUITE, carol.id, carol.id))).toEqual([3, 'without']);
  });

  it('D17: bulk requests of a whole domain are limited; it is told so, and its people have no bundles', async () => {
    await startBoth({}, { BUNDLES_PER_PEER: 2 });
    expect(idsOf(await ask(carol.id, dave.id))).toEqual([1, 1]);
    expect(idsOf(await ask(carol.id))).toEqual([undefined]);
    expect(await results()).toEqual(['answered 1', 'failed 1']);
    expect(idsOf(await there!.bundles(dave, SUITE, carol.id))).toEqual([2]);
  });

  it('D17: what one is refused over there keeps nobody else from being answered', async () => {
    await startBoth({}, { BUNDLES_PER_REQUESTER: 6 });
    expect(idsOf(await ask(...Array.from({ length: 7 }, () => carol.id)))).toEqual(Array(7).fill(undefined));
    expect(idsOf(await here!.bundles(bob, SUITE, carol.id))).toEqual([1]);
    expect(await results()).toEqual(['failed 1', 'answered 1']);
  });

  it('T220: are not asked for at a domain that is blocked here, and are again when it is free', async () => {
    await startBoth();
    await block(here!, THERE);
    expect(idsOf(await ask(carol.id, bob.id))).toEqual([undefined, 1]);
    await here!.store.operatorRecords.remove('domain', THERE);
    expect(idsOf(await ask(carol.id))).toEqual([1]);
    expect(await results()).toEqual(['skipped 1', 'answered 1']);
  });

  it('T220: are given to no domain that is blocked over there: no key of theirs is spent', async () => {
    await startBoth();
    await block(there!, HERE);
    expect(idsOf(await ask(carol.id))).toEqual([undefined]);
    expect(await results()).toEqual(['failed 1']);
    expect(idsOf(await there!.bundles(dave, SUITE, carol.id))).toEqual([1]);
  });

  it('`/directory/peer-key` shows what the other side configures', async () => {
    await startBoth();
    const { json } = await here!.json('GET', '/directory/peer-key');
    expect(json).toEqual({ domain: HERE, publicKey: expect.any(String) });
    expect(decodeBase64url(json.publicKey)).toEqual(publicKeyOf(ourSeed));
    expect((await there!.json('GET', '/directory/peer-key')).status).toBe(404);
  });
});

describe('a peer that', () => {
  const nobody = async () => expect(idsOf(await ask(carol.id, bob.id, dave.id))).toEqual([undefined, 1, undefined]);

  it('cannot be reached: no bundle for its devices only; after a pause it is asked again', async () => {
    await startBoth();
    const { url } = there!.listening;
    await there!.close();
    there = undefined;
    await nobody();
    expect(idsOf(await ask(carol.id, bob.id))).toEqual([undefined, 2]);
    expect(await results()).toEqual(['failed 1', 'skipped 1']);
    liar = createServer((_, response) => response.writeHead(500).end());
    await new Promise<void>((resolve) => liar!.listen(Number(new URL(url).port), '127.0.0.1', resolve));
    here!.clock.now += 10_000;
    expect(idsOf(await ask(carol.id, bob.id))).toEqual([undefined, 3]);
    expect(await results()).toEqual(['failed 2', 'skipped 1']);
    // A clock that was ahead named the end of the pause.
    here!.clock.now -= 3_652 * 86_400_000;
    expect(idsOf(await ask(carol.id))).toEqual([undefined]);
    expect(await results()).toEqual(['failed 3', 'skipped 1']);
  });

  it.each([
    ['another status', (_: unknown, response: ServerResponse) => response.writeHead(503).end()],
    [
      'a redirect',
      (_: unknown, response: ServerResponse) => response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(),
    ],
    ['a cut connection', (_: unknown, response: ServerResponse) => response.destroy()],
    [
      'an endless body',
      (_: unknown, response: ServerResponse) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', more);
        more();
      },
    ],
  ])('answers with %s', async (_, answer) => {
    await startLiar((request, response) => answer(request, response));
    await nobody();
    expect(await results()).toEqual(['failed 1']);
  });

  const bundleOf = (device: typeof carol) => {
    const { identityKey, signedPrekey, oneTimePrekeys } = device.registration(SUITE, 1);
    return { identityKey, signedPrekey, oneTimePrekey: oneTimePrekeys[0]! };
  };
  const carols = { device: carol.id, bundle: bundleOf(carol) };
  const daves = { device: dave.id, bundle: bundleOf(dave) };
  const peers = (...list: LimePeer[]): LimeAnswer => ({ kind: 'peerBundle', suite: SUITE, peers: list });
  const lies: [string, LimeAnswer | Uint8Array][] = [
    ['fewer devices than were asked for', peers(carols)],
    ['more of them', peers(carols, daves, carols)],
    ['others', peers(carols, { ...daves, device: bob.id })],
    ['another order', peers(daves, carols)],
    [
      'another curve',
      { ...peers(carols, daves), suite: 'c448', peers: [{ device: carol.id }, { device: dave.id }] } as LimeAnswer,
    ],
    ['an error message', { kind: 'error', curveId: 1, code: LIME_ERRORS.serverFailure, text: 'no' }],
    ['an acknowledgement', { kind: 'ack', suite: SUITE, request: 'registerUser' }],
    ['bytes beyond the message', Buffer.concat([encodeAnswer(peers(carols, daves)), Buffer.of(0)])],
    ['no LIME', Buffer.from('<html>')],
    ['nothing', new Uint8Array(0)],
  ];
  it.each(lies)('lies with %s: no bundle for its devices only', async (_, lie) => {
    const bytes = lie instanceof Uint8Array ? lie : encodeAnswer(lie);
    await startLiar((_request, response) => response.end(bytes));
    await nobody();
    expect(await results()).toEqual(['invalid 1']);
  });

  const bad = new Uint8Array(32);
  const good = bundleOf(carol);
  const twin = twinOf(carol.identitySeed(SUITE), 'ed25519ctx');
  const signedByTwin = { ...good.signedPrekey, signature: twin.sign(good.signedPrekey.publicKey) };
  const keys: [string, LimePeer['bundle']][] = [
    ['an identity key that is no point', { ...good, identityKey: bad.map(() => 0xff) }],
    ['an identity key of small order', { ...good, identityKey: bad.map((_, i) => (i === 0 ? 1 : 0)) }],
    [
      'an identity key with a part of small order',
      { ...good, identityKey: twin.publicKey, signedPrekey: signedByTwin },
    ],
    ['an identity key of somebody else', { ...good, identityKey: dave.identityKey(SUITE) }],
    ['a low-order signed prekey', { ...good, signedPrekey: { ...good.signedPrekey, publicKey: bad } }],
    ['a bad signature', { ...good, signedPrekey: { ...good.signedPrekey, signature: new Uint8Array(64) } }],
    ['a low-order one-time prekey', { ...good, oneTimePrekey: { id: 1, publicKey: bad } }],
    ['a one-time prekey id of 0', { ...good, oneTimePrekey: { ...good.oneTimePrekey, id: 0 } }],
    ['a signed prekey id beyond 2^31', { ...good, signedPrekey: { ...good.signedPrekey, id: 2 ** 31 } }],
  ];
  it.each(keys)('S03, D08: gives %s: no bundle for that device, the others have theirs', async (_, bundle) => {
    await startLiar((_request, response) => response.end(encodeAnswer(peers({ device: carol.id, bundle }, daves))));
    expect(idsOf(await ask(carol.id, bob.id, dave.id))).toEqual([undefined, 1, 1]);
  });

  it.each([
    ['does not answer', () => {}],
    ['sends a byte now and then', (response: ServerResponse) => void response.write('x')],
  ])('%s: given up in time', async (_, answer) => {
    await startLiar((_request, response) => answer(response));
    const { now, metrics } = { now: () => here!.clock.now, metrics: here!.metrics };
    const { port } = liar!.address() as AddressInfo;
    const peers = [peer(THERE, theirSeed, `http://127.0.0.1:${port}/directory/lime`)];
    const signer = createPeerSigner({ seed: ourSeed, domain: HERE, now, random: (length) => new Uint8Array(length) });
    const foreign = createForeignDirectories({
      peers: foreignPeers(peers, now),
      signer,
      crypto,
      metrics,
      isBlocked: async () => false,
      answerWithinMs: 30,
    });
    const asked = Array.from({ length: 20 }, () => foreign.bundles(alice.id, THERE, SUITE, [carol.id, dave.id]));
    for (const bundles of await Promise.all(asked)) expect(bundles).toEqual([undefined, undefined]);
    // So many at once, and no more wait for one peer.
    expect(await results()).toEqual(['skipped 4', 'failed 16']);
  });
});

describe('POST /directory/lime', () => {
  beforeEach(() => startThere());
  const body = encodeRequest({ kind: 'getPeerBundle', suite: SUITE, devices: [carol.id] });

  async function token(
    change: Partial<{ seed: Uint8Array; from: string; to: string; requester: typeof alice.id; body: Uint8Array }> = {},
  ) {
    const { seed = ourSeed, from = HERE, to = THERE, requester = alice.id } = change;
    let drawn = ++tokens;
    const random = (length: number) => new Uint8Array(length).map(() => drawn++);
    const signer = createPeerSigner({ seed, domain: from, now: () => there!.clock.now, random });
    return signer.sign({ to, requester, bodyHash: crypto.sha256(change.body ?? body) });
  }
  let tokens = 0;

  async function post(
    authorization: string,
    bytes: Uint8Array = body,
    from: string = alice.id,
    path = '/directory/lime',
  ) {
    const headers = { authorization, from, 'content-type': LIME_CONTENT_TYPE };
    const init = { method: 'POST', headers, body: bytes } as RequestInit;
    const response = await fetch(`${there!.listening.url}${path}`, init);
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  }
  const held = () => there!.lime(carol, { kind: 'getSelfOneTimePrekeys', suite: SUITE });

  it('answers the directory of a configured domain, once a token', async () => {
    const good = `Sealwire-Peer ${await token()}`;
    expect((await post(good)).body.subarray(0, 5)).toEqual(Buffer.of(1, 6, 1, 0, 1));
    expect((await post(good)).status).toBe(401);
    expect(await held()).toMatchObject({ ids: [2, 3, 4, 5] });
  });

  it('S69: takes no token of another key, domain, audience, body, device; none of ours, and no other scheme', async () => {
    const { authorization } = await there!.headersOf(dave);
    const other = encodeRequest({ kind: 'getPeerBundle', suite: SUITE, devices: [dave.id] });
    const refused = [
      '',
      'Sealwire-Peer',
      'Sealwire-Peer x.y.z',
      authorization!,
      authorization!.replace('Bearer', 'Sealwire-Peer'),
      `Bearer ${await token()}`,
      `Sealwire-Peer ${await token({ seed: theirSeed })}`,
      `Sealwire-Peer ${await token({ from: 'example.net' })}`,
      `Sealwire-Peer ${await token({ to: HERE })}`,
      `Sealwire-Peer ${await token({ body: other })}`,
      `Sealwire-Peer ${await token({ requester: carol.id })}`,
    ];
    for (const each of refused) {
      const { status, headers } = await post(each);
      expect([status, headers.get('www-authenticate')]).toEqual([401, 'Sealwire-Peer']);
    }
    expect((await post(`Sealwire-Peer ${await token()}`, body, bob.id)).status).toBe(403);
    expect((await post(`Sealwire-Peer ${await token()}`, body, alice.id, '/lime')).status).toBe(401);
    expect(await held()).toMatchObject({ ids: [1, 2, 3, 4, 5] });
  });

  it('a token ends after a minute and the clocks’ skew', async () => {
    const late = `Sealwire-Peer ${await token()}`;
    there!.clock.now += 121_000;
    expect((await post(late)).status).toBe(401);
  });

  it('a peer asks for bundles and nothing else: it never changes anything here', async () => {
    const requests = [
      alice.registration(SUITE, 1),
      { kind: 'deleteUser', suite: SUITE } as const,
      { kind: 'postSignedPrekey', suite: SUITE, signedPrekey: alice.signedPrekey(SUITE) } as const,
      { kind: 'postOneTimePrekeys', suite: SUITE, oneTimePrekeys: alice.oneTime(SUITE, 9) } as const,
      { kind: 'getSelfOneTimePrekeys', suite: SUITE } as const,
    ];
    for (const request of requests) {
      const bytes = encodeRequest(request);
      const { status, body: answer } = await post(`Sealwire-Peer ${await token({ body: bytes })}`, bytes);
      expect([status, ...answer.subarray(0, 4)]).toEqual([200, 1, 0xff, 1, LIME_ERRORS.badRequest]);
    }
    expect(await there!.store.waiting.find(alice.id)).toBeUndefined();
  });

  it('is not relayed: a peer gets bundles of this domain only, so that no request goes in circles', async () => {
    await there!.close();
    let asked = 0;
    liar = createServer((_, response) => {
      asked++;
      response.end();
    });
    await new Promise<void>((resolve) => liar!.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}/directory/lime`;
    const others = [peer(HERE, ourSeed, url), peer('example.net', ourSeed, url)];
    await startThere({ PEER_DIRECTORIES: others, PEER_KEY: theirSeed });
    const bytes = encodeRequest({ kind: 'getPeerBundle', suite: SUITE, devices: [alice.id, eve.id, carol.id] });
    const { body: answer } = await post(`Sealwire-Peer ${await token({ body: bytes })}`, bytes);
    expect(answer.length).toBeGreaterThan(168);
    expect(asked).toBe(0);
    await there!.bundles(dave, SUITE, alice.id);
    expect(asked).toBe(1);
  });
});
