/** Devices that come with an app password or in open mode, and wait for their owner (docs/adr/0008-linphone-devices.md). */
import { afterEach, describe, expect, it } from '@jest/globals';
import { twinOf } from '@sealwire/crypto/testing/twin';
import { type Fate, withFaults } from '@sealwire/store/faults';
import { openMemoryStore } from '@sealwire/store/memory';
import { encodeBase64url } from '@sealwire/wire/base64url';
import {
  encodeRequest,
  LIME_CONTENT_TYPE,
  LIME_ERRORS,
  type LimeAnswer,
  type LimeRequest,
} from '@sealwire/wire/lime-server';
import { admitted, enrol, type SignedManifest, testDevice } from '../testing/device.ts';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';
import type { Caller } from './authenticate.ts';

const alice = testDevice(crypto, 'alice');
const bob = testDevice(crypto, 'bob');
const desktop = testDevice(crypto, 'bob', 'linphone desktop');
const mobile = testDevice(crypto, 'bob', 'linphone mobile');
const SUITE = 'c25519';
const SMALL_ORDER = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));

let fixture: Fixture;
/** Who the next requests come from; a token's device when there is none. */
let caller: Caller | undefined;
let first: SignedManifest;
afterEach(() => fixture.close());

const BY_APP_PASSWORD: Caller = { account: bob.address };
const OPENLY: Caller = { anyone: true };

async function start(settings: Parameters<typeof startFixture>[0] = {}) {
  caller = BY_APP_PASSWORD;
  fixture = await startFixture(settings, {
    authenticate: async ({ headers }) => caller ?? { device: headers.from as typeof bob.id },
  });
  await enrol(fixture.store, alice);
  first = await enrol(fixture.store, bob);
}

async function bundlesFor(asker: typeof alice, ...ids: string[]) {
  const before = caller;
  caller = undefined;
  const peers = await fixture.bundles(asker, SUITE, ...ids);
  caller = before;
  return peers.map(({ bundle }) => bundle);
}

const code = (answer: LimeAnswer) => (answer.kind === 'error' ? answer.code : answer.kind);
const register = async (device: typeof bob, request: LimeRequest = device.registration(SUITE, 1, 2)) =>
  code(await fixture.lime(device, request));
const publish = ({ bytes, signature }: SignedManifest) =>
  fixture.json('PUT', '/directory/manifests/bob', {
    manifest: encodeBase64url(bytes),
    signature: encodeBase64url(signature),
  });
const identityOf = (device: typeof bob) => ({ suite: SUITE, identityKey: device.identityKey(SUITE) }) as const;

describe('by app password', () => {
  it('a device that no manifest names waits: LIME clients get its bundle, the list of devices stays the owner’s', async () => {
    await start();
    expect(await register(desktop)).toBe('ack');
    const [bundle] = await bundlesFor(alice, desktop.id);
    expect(bundle!.oneTimePrekey!.id).toBe(1);
    expect((await fixture.store.devices.list([bob.address]))[0]!.map(({ id }) => id)).toEqual([bob.id]);
    expect(await fixture.store.waiting.list(bob.address)).toEqual([
      { id: desktop.id, identities: [identityOf(desktop)], since: fixture.clock.now },
    ]);
    expect(await fixture.lime(desktop, { kind: 'getSelfOneTimePrekeys', suite: SUITE })).toMatchObject({ ids: [2] });
  });

  it('E06, S37: a waiting device is in no manifest that anybody reads', async () => {
    await start();
    await register(desktop);
    const { json } = await fixture.json('GET', '/directory/manifests/bob');
    expect(json.manifest).toBe(encodeBase64url(first.bytes));
  });

  it('D03: the same registration again is acknowledged; another identity key under the id is not', async () => {
    await start();
    await register(desktop);
    expect(await register(desktop)).toBe('ack');
    const other = { ...mobile.registration(SUITE, 1) };
    expect(await register(desktop, other)).toBe(LIME_ERRORS.userAlreadyIn);
  });

  it('a device on Kyber of round 3 as well (suite 3) is shown with it, and admitted with it', async () => {
    await start();
    const suites = ['c25519', 'c25519k512'] as const;
    for (const suite of suites) expect(await register(desktop, desktop.registration(suite, 1))).toBe('ack');
    const identities = suites.map((suite) => ({ suite, identityKey: desktop.identityKey(suite) }));
    expect((await fixture.store.waiting.find(desktop.id))!.identities).toEqual(identities);
    const next = bob.manifest([bob.listed, admitted(desktop, ...identities)], first.manifest);
    expect((await publish(next)).status).toBe(200);
    expect(await register(desktop, desktop.registration('c25519k512', 1))).toBe('ack');
    expect(await register(desktop, mobile.registration('c25519k512', 1))).toBe(LIME_ERRORS.badRequest);
  });

  it('D10: a listed device registers the identity key that its manifest names, and no other', async () => {
    await start();
    expect(await register(bob, desktop.registration(SUITE, 1))).toBe(LIME_ERRORS.badRequest);
    expect(await bundlesFor(alice, bob.id)).toEqual([undefined]);
    expect(await register(bob)).toBe('ack');
  });

  it('an account has so many devices, waiting ones too: error 0a, and nothing is stored', async () => {
    await start({ DEVICES_PER_ACCOUNT: 2 });
    expect(await register(desktop)).toBe('ack');
    expect(await register(mobile)).toBe(LIME_ERRORS.limitReached);
    expect(await bundlesFor(alice, mobile.id)).toEqual([undefined]);
    expect(await register(desktop, desktop.registration('c448', 1))).toBe('ack');
    await fixture.lime(desktop, { kind: 'deleteUser', suite: SUITE });
    expect(await register(mobile)).toBe(LIME_ERRORS.limitReached);
    await fixture.lime(desktop, { kind: 'deleteUser', suite: 'c448' });
    expect(await register(mobile)).toBe('ack');
  });

  it('D07, D08: bad keys are refused and nothing is stored: identity, signed prekey, one-time prekey, signature', async () => {
    await start();
    const good = desktop.registration(SUITE, 1);
    const signature = good.signedPrekey.signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte));
    const nonCanonical = new Uint8Array(32).fill(0xff);
    const bad: LimeRequest[] = [
      { ...good, identityKey: SMALL_ORDER },
      { ...good, identityKey: nonCanonical },
      { ...good, identityKey: new Uint8Array(32) },
      { ...good, signedPrekey: { ...good.signedPrekey, signature } },
      { ...good, signedPrekey: { ...good.signedPrekey, publicKey: new Uint8Array(32) } },
      { ...good, oneTimePrekeys: [{ id: 9, publicKey: nonCanonical }] },
      { ...good, identityKey: mobile.identityKey(SUITE) },
    ];
    for (const request of bad) expect(await register(desktop, request)).toBe(LIME_ERRORS.badRequest);
    expect(await fixture.store.waiting.list(bob.address)).toEqual([]);
    expect(await bundlesFor(alice, desktop.id)).toEqual([undefined]);
  });

  it('S31: the small-order identity key with its all-messages signature is refused', async () => {
    await start();
    const signature = new Uint8Array(64);
    signature[0] = 1;
    const good = desktop.registration(SUITE);
    const request = { ...good, identityKey: SMALL_ORDER, signedPrekey: { ...good.signedPrekey, signature } };
    expect(await register(desktop, request)).toBe(LIME_ERRORS.badRequest);
  });

  it('S31: an identity key with a part of small order is refused, though its signature holds: it would be a twin of an owned one', async () => {
    await start();
    const good = desktop.registration(SUITE);
    const twin = twinOf(desktop.identitySeed(SUITE), 'ed25519ctx');
    const signature = twin.sign(good.signedPrekey.publicKey);
    const request = { ...good, identityKey: twin.publicKey, signedPrekey: { ...good.signedPrekey, signature } };
    expect(await register(desktop, request)).toBe(LIME_ERRORS.badRequest);
  });

  it('D08: a key that another account uses is refused, whole bundles replayed from the directory too', async () => {
    await start();
    caller = undefined;
    await fixture.lime(alice, alice.registration(SUITE, 1, 2));
    caller = BY_APP_PASSWORD;
    const [stolen] = await bundlesFor(bob, alice.id);
    const replay: LimeRequest = {
      kind: 'registerUser',
      suite: SUITE,
      identityKey: stolen!.identityKey,
      signedPrekey: stolen!.signedPrekey,
      oneTimePrekeys: [],
    };
    expect(await register(desktop, replay)).toBe(LIME_ERRORS.badRequest);
    const publicKey = stolen!.signedPrekey.publicKey;
    const sign = crypto.suites[SUITE].signatures.sign(desktop.identitySeed(SUITE), publicKey);
    const signedPrekey = { id: 5, publicKey, signature: sign };
    expect(await register(desktop, { ...desktop.registration(SUITE), signedPrekey })).toBe(LIME_ERRORS.badRequest);
    await register(desktop);
    expect(code(await fixture.lime(desktop, { kind: 'postSignedPrekey', suite: SUITE, signedPrekey }))).toBe(
      LIME_ERRORS.badRequest,
    );
    expect((await bundlesFor(alice, desktop.id))[0]!.signedPrekey.id).toBe(1001);
  });

  it('the owner admits it: a device with its keys, which nobody can register otherwise any more', async () => {
    await start();
    await register(desktop);
    const second = bob.manifest([bob.listed, admitted(desktop, identityOf(desktop))], first.manifest);
    expect((await publish(second)).status).toBe(200);
    expect((await fixture.store.devices.list([bob.address]))[0]!.map(({ id }) => id).sort()).toEqual(
      [bob.id, desktop.id].sort(),
    );
    expect(await fixture.store.waiting.list(bob.address)).toEqual([]);
    expect((await bundlesFor(alice, desktop.id))[0]!.oneTimePrekey!.id).toBe(1);
    expect(await register(desktop)).toBe('ack');
    expect(await register(desktop, mobile.registration(SUITE, 1))).toBe(LIME_ERRORS.badRequest);
    expect(fixture.announced).toContainEqual(
      expect.objectContaining({ kind: 'devices-changed', address: bob.address }),
    );
  });

  it('E06: a manifest that names another identity key than the waiting device’s is a conflict, and changes nothing', async () => {
    await start();
    await register(desktop);
    const second = bob.manifest([bob.listed, admitted(desktop, identityOf(mobile))], first.manifest);
    expect((await publish(second)).json).toMatchObject({ status: 409, code: 'conflict' });
    expect((await fixture.store.devices.list([bob.address]))[0]).toHaveLength(1);
  });

  it('a manifest cannot grow beyond the account’s quota, but it can always shrink', async () => {
    await start({ DEVICES_PER_ACCOUNT: 1 });
    const second = bob.manifest([bob.listed, admitted(desktop, identityOf(desktop))], first.manifest);
    expect((await publish(second)).json).toMatchObject({ status: 422, code: 'limit-reached' });
    expect((await publish(bob.manifest([], first.manifest))).status).toBe(200);
  });

  it('a manifest with a key that another account uses is a conflict', async () => {
    await start();
    const thief = admitted(desktop, { suite: SUITE, identityKey: alice.identityKey(SUITE) });
    const { json } = await publish(bob.manifest([bob.listed, thief], first.manifest));
    expect(json).toMatchObject({ status: 409, code: 'conflict', detail: 'a key that another account or device uses' });
  });

  it('I12: one that the owner removed does not come back by itself', async () => {
    await start();
    await register(desktop);
    await fixture.store.waiting.remove(desktop.id);
    expect(await bundlesFor(alice, desktop.id)).toEqual([undefined]);
    expect(await register(desktop)).toBe(LIME_ERRORS.userAlreadyIn);
    expect(code(await fixture.lime(desktop, { kind: 'getSelfOneTimePrekeys', suite: SUITE }))).toBe(
      LIME_ERRORS.userNotFound,
    );
  });

  it('D12: the device ids that an app password may speak for share what an account may take of a target', async () => {
    await start({ BUNDLES_PER_PAIR: 1 });
    caller = undefined;
    await fixture.lime(alice, alice.registration(SUITE, 1, 2, 3, 4));
    caller = BY_APP_PASSWORD;
    const taken = [];
    for (const asker of [bob, desktop, mobile])
      taken.push((await fixture.bundles(asker, SUITE, alice.id))[0]!.bundle!.oneTimePrekey?.id);
    expect(taken).toEqual([1, 2, undefined]);
  });

  it('D04: and how often they may upload', async () => {
    await start({ KEY_UPLOADS_PER_DEVICE: 2 });
    await register(desktop);
    await register(mobile);
    const headers = { from: bob.id, 'content-type': LIME_CONTENT_TYPE };
    expect((await fixture.limeRaw(encodeRequest(bob.registration(SUITE)), headers)).status).toBe(429);
  });
});

it('D03, D05: a registration whose answer was lost is there once, and one that failed is not there at all', async () => {
  const fates: Fate[] = ['failed', 'failed-but-persisted'];
  const store = withFaults(openMemoryStore(), (call) =>
    call === 'waiting.register' ? (fates.shift() ?? 'done') : 'done',
  );
  caller = BY_APP_PASSWORD;
  fixture = await startFixture({}, { store, authenticate: async () => BY_APP_PASSWORD });
  await enrol(store, bob);
  const headers = { from: desktop.id, 'content-type': LIME_CONTENT_TYPE };
  const body = encodeRequest(desktop.registration(SUITE, 1, 2));
  expect((await fixture.limeRaw(body, headers)).status).toBe(503);
  expect(await store.waiting.find(desktop.id)).toBeUndefined();
  expect((await fixture.limeRaw(body, headers)).status).toBe(503);
  expect(await register(desktop)).toBe('ack');
  expect(await fixture.lime(desktop, { kind: 'getSelfOneTimePrekeys', suite: SUITE })).toMatchObject({ ids: [1, 2] });
});

describe('in open mode', () => {
  const stranger = testDevice(crypto, 'stranger', 'phone', 'elsewhere.example');

  it('any device id of any domain registers and is served, without an account', async () => {
    await start();
    caller = OPENLY;
    expect(await register(stranger)).toBe('ack');
    expect(await register(desktop)).toBe('ack');
    const peers = await fixture.bundles(stranger, SUITE, stranger.id, desktop.id);
    expect(peers.map(({ bundle }) => bundle?.oneTimePrekey?.id)).toEqual([1, 1]);
    expect(await fixture.store.accounts.find(stranger.address)).toBeUndefined();
  });

  it('D12: a hundred askers together get no more of one device than its limit', async () => {
    await start({ BUNDLES_PER_TARGET: 60, PREKEYS_PER_DEVICE: 200 });
    caller = OPENLY;
    await register(stranger, stranger.registration(SUITE, ...Array.from({ length: 100 }, (_, i) => i + 1)));
    const body = encodeRequest({ kind: 'getPeerBundle', suite: SUITE, devices: [stranger.id] });
    const flags = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const headers = { from: `sip:asker${i}@example.org;gr=x`, 'content-type': LIME_CONTENT_TYPE };
        const answer = await fixture.limeRaw(body, headers);
        return answer.body[5 + 2 + stranger.id.length];
      }),
    );
    expect([flags.filter((flag) => flag === 1).length, flags.filter((flag) => flag === 0).length]).toEqual([60, 40]);
  });

  it('a listed device is still who its manifest says it is, and a user has so many devices', async () => {
    await start({ DEVICES_PER_ACCOUNT: 1 });
    caller = OPENLY;
    expect(await register(bob, mobile.registration(SUITE))).toBe(LIME_ERRORS.badRequest);
    expect(await register(stranger)).toBe('ack');
    const second = testDevice(crypto, 'stranger', 'laptop', 'elsewhere.example');
    expect(await register(second)).toBe(LIME_ERRORS.limitReached);
  });
});
