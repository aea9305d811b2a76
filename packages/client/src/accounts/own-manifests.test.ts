/** What a device keeps of its own account's lists, and what it gives back (docs/adr/0028); the directory is in the test's hands. */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { decodeManifest, manifestHash, noPreviousManifest } from '@sealwire/wire/manifest';
import { HttpCalls } from '../connection/http-calls.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { FakeSockets } from '../testing/fake-sockets.ts';
import { FakeTime } from '../testing/fake-time.ts';
import { manifestBody, signManifest } from './manifest-draft.ts';
import { OwnManifests } from './own-manifests.ts';
import type { OfferedManifest, PeerRecord } from './peer-record.ts';
import type { SelfRecord } from './self-record.ts';

const crypto = nodeCrypto();
const address = parseAccountAddress('sip:alice@example.org');
const accountSeed = new Uint8Array(32).fill(7);
const accountKey = crypto.ed25519.publicKey(accountSeed);

/** Versions 1 to `count`; `issuedAt` tells two chains apart. */
function chain(count: number, issuedAt = 1): OfferedManifest[] {
  const made: OfferedManifest[] = [];
  for (let version = 1; version <= count; version++) {
    const before = made.at(-1);
    const previous = before ? manifestHash(crypto, before.bytes) : noPreviousManifest();
    made.push(signManifest(crypto, accountSeed, { address, version, previous, issuedAt, devices: [] }));
  }
  return made;
}

const recordOf = ({ bytes }: OfferedManifest): PeerRecord => ({
  address,
  accountKey,
  manifest: decodeManifest(bytes),
  bytes,
  checkedAt: 0,
  trust: new Map(),
});

/** A directory that shows `history`, and answers `put` to what is published. */
async function setUp(history: readonly OfferedManifest[], put: () => Response = () => new Response('{}')) {
  const time = new FakeTime();
  const asked: string[] = [];
  const published: unknown[] = [];
  const http = new HttpCalls('http://server', {
    crypto,
    random: (length) => new Uint8Array(length),
    now: time.now,
    timers: time,
    connectSocket: new FakeSockets().connect,
    fetch: async (input, init) => {
      if (init?.method === 'PUT') {
        published.push(JSON.parse(String(init.body)));
        return put();
      }
      asked.push(String(input));
      const after = Number(new URL(String(input)).searchParams.get('after'));
      const page = history.slice(after, after + 100);
      const next = after + 100 < history.length ? after + 100 : undefined;
      const common = { address, accountKey: encodeBase64url(accountKey) };
      return Response.json({ ...common, manifests: page.map(manifestBody), ...(next && { next }) });
    },
  });
  const storage = new MemoryStorage();
  const ledger = await Ledger.open(storage);
  const self = { address, accountSeed, paths: { directory: '/directory' } } as SelfRecord;
  return { manifests: new OwnManifests({ self, ledger, http, crypto }), asked, published, ledger };
}

const problem = (status: number, code: string) =>
  Response.json({ type: 'about:blank', title: code, status, code, retryable: false }, { status });

describe('the versions of our own manifest', () => {
  const versions = chain(5);
  const own = recordOf(versions[4]!);
  const shown = (version: number) => ({ version, ...versions[version - 1]! });

  it('are asked for once, and kept', async () => {
    const { manifests, asked } = await setUp(versions);
    await manifests.complete(own);
    await manifests.complete(own);
    expect(asked).toHaveLength(1);
    for (const version of [1, 2, 3, 4, 5])
      expect(manifests.bytesOf(version, own)).toEqual(versions[version - 1]!.bytes);
  });

  it('are kept up to 256 of them, over several pages', async () => {
    const long = chain(300);
    const { manifests, asked, ledger } = await setUp(long);
    await manifests.complete(recordOf(long[299]!));
    expect(ledger.keys('own/')).toHaveLength(256);
    expect(asked).toHaveLength(3);
  });

  it('that do not lead to the newest one are not kept', async () => {
    const { manifests, ledger } = await setUp(chain(5, 2));
    await manifests.complete(own);
    expect(ledger.keys('own/')).toEqual([]);
  });

  it('that the server lost are published again, in order, with the signatures they had', async () => {
    const { manifests, published } = await setUp(versions);
    await manifests.complete(own);
    await manifests.publishAgain(own, shown(2));
    expect(published).toEqual(versions.slice(2).map(manifestBody));
  });

  it('are not published on top of a list that is not ours', async () => {
    const { manifests, published } = await setUp(versions);
    await manifests.complete(own);
    const [, other] = chain(2, 2);
    await expect(manifests.publishAgain(own, { version: 2, ...other! })).rejects.toMatchObject({
      code: 'manifest-fork',
    });
    expect(published).toEqual([]);
  });

  it('that this device does not have are told of, and nothing is published', async () => {
    const { manifests, published } = await setUp([]);
    await expect(manifests.publishAgain(own, shown(2))).rejects.toMatchObject({ code: 'manifest-rollback' });
    expect(published).toEqual([]);
  });

  it('that another device publishes at the same time are left to it', async () => {
    const { manifests, published } = await setUp(versions, () => problem(409, 'conflict'));
    await manifests.complete(own);
    await manifests.publishAgain(own, shown(1));
    expect(published).toHaveLength(1);
  });
});
