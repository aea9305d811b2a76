/** The rules of docs/spec/client.md section 4 for manifests, one by one. */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import {
  encodeManifest,
  type Manifest,
  type ManifestDevice,
  manifestSigningInput,
  noPreviousManifest,
} from '@sealwire/wire/manifest';
import { fanOut, refuseNobody } from '../messages/fan-out.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { keptOut, type OnKeptOut } from './kept-out.ts';
import {
  followPeer,
  type OfferedManifest,
  type PeerRecord,
  pinPeer,
  readPeer,
  trustIn,
  writePeer,
} from './peer-record.ts';

const crypto = nodeCrypto();
const random = seededRandom(11);
const NOW = Date.UTC(2026, 0, 1);
const address = parseAccountAddress('sip:bob@example.org');
const seed = random(32);
const accountKey = crypto.ed25519.publicKey(seed);

function device(number: number, of = address): ManifestDevice {
  return {
    id: parseDeviceId(`${of};gr=urn:uuid:${number}`),
    identities: [{ suite: 'c25519', identityKey: crypto.ed25519.publicKey(random(32)) }],
    loginKey: crypto.ed25519.publicKey(random(32)),
    addedAt: NOW,
  };
}

function sign(manifest: Manifest, by = seed): OfferedManifest {
  const bytes = encodeManifest(manifest);
  return { bytes, signature: crypto.ed25519.sign(by, manifestSigningInput(bytes)) };
}

const [one, two, three] = [device(1), device(2), device(3)] as const;
const first: Manifest = { address, version: 1, previous: noPreviousManifest(), issuedAt: NOW, devices: [one] };

function next(after: Manifest, devices: readonly ManifestDevice[], change: Partial<Manifest> = {}): Manifest {
  return {
    ...after,
    version: after.version + 1,
    previous: crypto.sha256(encodeManifest(after)),
    issuedAt: after.issuedAt + 1,
    devices,
    ...change,
  };
}

const second = next(first, [one, two]);
const third = next(second, [two, three]);
const pinned = (manifest = first) => pinPeer(crypto, address, accountKey, sign(manifest), NOW);
const follow = (known: PeerRecord, ...offered: OfferedManifest[]) => followPeer(crypto, known, offered, NOW + 5);
const idsOf = (peer: PeerRecord) => peer.manifest.devices.map(({ id }) => id);

describe('first contact', () => {
  it('pins the key that signed, at whatever version', () => {
    expect(idsOf(pinned())).toEqual([one.id]);
    expect(pinned(third).manifest.version).toBe(3);
  });

  it.each<[string, () => unknown]>([
    ['another key’s signature', () => pinPeer(crypto, address, accountKey, sign(first, random(32)), NOW)],
    [
      'another account',
      () => pinPeer(crypto, parseAccountAddress('sip:eve@example.org'), accountKey, sign(first), NOW),
    ],
    [
      'a changed byte',
      () =>
        pinPeer(
          crypto,
          address,
          accountKey,
          { ...sign(first), bytes: sign(first).bytes.map((b, i) => (i === 40 ? b ^ 1 : b)) },
          NOW,
        ),
    ],
    [
      'no manifest at all',
      () => pinPeer(crypto, address, accountKey, { bytes: new Uint8Array(3), signature: new Uint8Array(64) }, NOW),
    ],
  ])('refuses %s', (_name, pin) => {
    expect(pin).toThrow(expect.objectContaining({ code: 'manifest-invalid' }));
  });
});

describe('following', () => {
  it('takes the same again, the next one, and a chain of them', () => {
    expect(follow(pinned(), sign(first))).toMatchObject({ checkedAt: NOW + 5, manifest: { version: 1 } });
    expect(idsOf(follow(pinned(), sign(second)))).toEqual([one.id, two.id]);
    expect(idsOf(follow(pinned(), sign(second), sign(third)))).toEqual([two.id, three.id]);
  });

  it('takes one that was offered twice: history and newest overlap', () => {
    expect(follow(pinned(), sign(second), sign(third), sign(third)).manifest.version).toBe(3);
  });

  it.each<[string, string, () => unknown]>([
    ['S38: an older version', 'manifest-rollback', () => follow(pinned(second), sign(first))],
    [
      'the same version with other bytes',
      'manifest-fork',
      () => follow(pinned(), sign({ ...first, devices: [one, two] })),
    ],
    ['a version left out', 'manifest-fork', () => follow(pinned(), sign(third))],
    ['another past', 'manifest-fork', () => follow(pinned(), sign(next(first, [one, two], { previous: random(32) })))],
    [
      'a device that changed its keys',
      'manifest-fork',
      () => follow(pinned(), sign(next(first, [{ ...two, id: one.id }]))),
    ],
    [
      'S37: a device that the account did not sign',
      'manifest-invalid',
      () => follow(pinned(), sign(second, random(32))),
    ],
    ['a good one behind a bad one', 'manifest-invalid', () => follow(pinned(), sign(second, random(32)), sign(third))],
  ])('refuses %s', (_name, code, attempt) => {
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });

  it('S45: a device that left loses its trust; the others keep theirs', () => {
    const known = {
      ...pinned(second),
      trust: new Map([
        [one.id, 'trusted' as const],
        [two.id, 'unsafe' as const],
      ]),
    };
    const peer = follow(known, sign(third));
    expect([one, two, three].map(({ id }) => trustIn(peer, id))).toEqual(['untrusted', 'unsafe', 'untrusted']);
    expect(peer.trust.size).toBe(1);
  });
});

it('a stored account comes back as it was', async () => {
  const ledger = await Ledger.open(new MemoryStorage());
  const peer: PeerRecord = { ...pinned(second), trust: new Map([[two.id, 'trusted']]) };
  await ledger.commit((transaction) => writePeer(transaction, peer));
  expect(readPeer(ledger, address)).toEqual(peer);
  expect(readPeer(ledger, parseAccountAddress('sip:eve@example.org'))).toBeUndefined();
});

describe('fan-out', () => {
  const alice = parseAccountAddress('sip:alice@example.org');
  const [me, phone] = [device(10, alice), device(11, alice)] as const;
  const own: PeerRecord = {
    ...pinned(),
    address: alice,
    manifest: { ...first, address: alice, devices: [me, phone] },
  };
  const none: ReadonlySet<DeviceId> = new Set();
  const ids = (list: readonly { id: DeviceId }[]) => list.map(({ id }) => id);

  async function kept(onKeptOut: OnKeptOut, peer: PeerRecord, self: PeerRecord) {
    const records = await Ledger.open(new MemoryStorage());
    const policies = { records, own: alice, authority: undefined, refresh: async () => peer };
    const { recipients, copies } = fanOut([peer], self, me.id, none);
    const addressees = [
      { peer, devices: recipients },
      { peer: self, devices: copies },
    ];
    return keptOut(policies, onKeptOut, address, addressees);
  }

  it('is the addressee’s devices and our own others', () => {
    const { recipients, copies } = fanOut([pinned(second)], own, me.id, none);
    expect([ids(recipients), ids(copies)]).toEqual([[one.id, two.id], [phone.id]]);
  });

  it('A25: of a note to self is our own others alone', () => {
    const { recipients, copies } = fanOut([], own, me.id, none);
    expect([ids(recipients), ids(copies)]).toEqual([[], [phone.id]]);
  });

  it('leaves out what the server has cut off', () => {
    const { recipients, copies } = fanOut([pinned(second)], own, me.id, new Set([one.id, phone.id]));
    expect([ids(recipients), ids(copies)]).toEqual([[two.id], []]);
  });

  it('S49: is refused while one of the devices is unsafe, an own one too', async () => {
    const unsafe = { code: 'unsafe-device' };
    const suspicious = { ...pinned(second), trust: new Map([[two.id, 'unsafe' as const]]) };
    await expect(kept('refuse', suspicious, own)).rejects.toMatchObject(unsafe);
    const ownSuspicious = { ...own, trust: new Map([[phone.id, 'unsafe' as const]]) };
    await expect(kept('refuse', pinned(), ownSuspicious)).rejects.toMatchObject(unsafe);
    expect(await kept('refuse', pinned(second), own)).toEqual({ devices: [], refusal: undefined });
  });

  it('T189: by choice it goes to the others, and unsafe devices are named with the reason for which it would be refused', async () => {
    const suspicious = { ...pinned(second), trust: new Map([[two.id, 'unsafe' as const]]) };
    const ownSuspicious = { ...own, trust: new Map([[phone.id, 'unsafe' as const]]) };
    expect(await kept('leave-out', suspicious, ownSuspicious)).toMatchObject({
      devices: [
        { device: two.id, reason: 'unsafe' },
        { device: phone.id, reason: 'unsafe' },
      ],
      refusal: { code: 'unsafe-device' },
    });
  });

  it('is refused when the addressee has no device left', () => {
    expect(() => refuseNobody(pinned(), [])).toThrow(expect.objectContaining({ code: 'unknown-account' }));
  });
});
