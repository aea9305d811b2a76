/** Histories of device lists that a directory makes up (docs/spec/client.md section 4). */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { manifestHash, noPreviousManifest } from '@sealwire/wire/manifest';
import { HttpCalls } from '../connection/http-calls.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { FakeSockets } from '../testing/fake-sockets.ts';
import { FakeTime } from '../testing/fake-time.ts';
import { Verdicts } from '../verification/verdicts.ts';
import { Alarms } from './alarms.ts';
import { manifestBody, signManifest } from './manifest-draft.ts';
import { PeerBook } from './peer-book.ts';
import type { OfferedManifest } from './peer-record.ts';

const crypto = nodeCrypto();
const bob = parseAccountAddress('sip:bob@example.org');
const seed = new Uint8Array(32).fill(7);
const accountKey = encodeBase64url(crypto.ed25519.publicKey(seed));

/** Bob's manifests, one after the other, without end. */
function* versions(): Generator<OfferedManifest, never> {
  let previous: Uint8Array = noPreviousManifest();
  for (let version = 1; ; version++) {
    const next = signManifest(crypto, seed, { address: bob, version, previous, issuedAt: version, devices: [] });
    yield next;
    previous = manifestHash(crypto, next.bytes);
  }
}

/** A book that has met bob at version 1; the directory now answers `newest`, and `history` to questions after a version. */
async function setUp(newest: (version: number) => object, history: (after: number) => object) {
  const time = new FakeTime();
  const asked: number[] = [];
  let met = false;
  const http = new HttpCalls('http://server', {
    crypto,
    random: (length) => new Uint8Array(length),
    now: time.now,
    timers: time,
    connectSocket: new FakeSockets().connect,
    fetch: async (input) => {
      const { pathname, searchParams } = new URL(String(input));
      if (!pathname.endsWith('/history')) return Response.json(newest(met ? 1_000_000 : 1));
      asked.push(Number(searchParams.get('after')));
      const page = asked.length < 300 ? history(asked.at(-1)!) : { ...common, manifests: [] };
      return Response.json(page);
    },
  });
  const ledger = await Ledger.open(new MemoryStorage());
  const options = {
    ledger,
    http,
    directoryPath: '/directory',
    crypto,
    now: time.now,
    own: { address: parseAccountAddress('sip:alice@example.org'), publishAgain: async () => undefined },
    alarms: new Alarms(),
    verdicts: new Verdicts({ crypto, now: time.now }),
    deviceLeft: () => undefined,
    accountReset: () => () => {},
    forgetDevice: () => {},
  };
  const book = new PeerBook(options);
  await book.refresh(bob);
  met = true;
  return { book, asked, time };
}

const common = { address: bob, accountKey };

describe('a directory that makes up a history', () => {
  const source = versions();
  const first = source.next().value;
  const newest = (version: number) => ({ ...common, version, ...manifestBody(first) });

  it('without end, of versions that the account signed: given up after a hundred pages, and none is kept', async () => {
    const { book, asked } = await setUp(newest, (after) => ({
      ...common,
      manifests: [manifestBody(source.next().value)],
      next: after + 1,
    }));
    await expect(book.refresh(bob)).rejects.toMatchObject({ code: 'manifest-invalid' });
    expect(asked).toHaveLength(100);
    expect(book.find(bob)!.manifest.version).toBe(1);
  });

  it('of pages without a version, each with a next one: asked once', async () => {
    const { book, asked } = await setUp(newest, (after) => ({ ...common, manifests: [], next: after + 1 }));
    await book.refresh(bob);
    expect(asked).toEqual([1]);
  });

  it('of versions that the account did not sign: asked once', async () => {
    const other = signManifest(crypto, new Uint8Array(32).fill(8), {
      address: bob,
      version: 2,
      previous: manifestHash(crypto, first.bytes),
      issuedAt: 2,
      devices: [],
    });
    const page = (after: number) => ({ ...common, manifests: [manifestBody(other)], next: after + 1 });
    const { book, asked } = await setUp(newest, page);
    await expect(book.refresh(bob)).rejects.toMatchObject({ code: 'manifest-invalid' });
    expect(asked).toEqual([1]);
  });
});

it.each([
  ['an hour', 3_600_000],
  ['ten years', 3_652 * 86_400_000],
])('a list that was confirmed while the clock was %s ahead is asked for again when it is right', async (_, ms) => {
  const first = versions().next().value;
  let answers = 0;
  const newest = () => {
    answers++;
    return { ...common, version: 1, ...manifestBody(first) };
  };
  const { book, time } = await setUp(newest, () => ({}));
  time.ms += ms;
  await book.refresh(bob);
  await book.current(bob, 60_000);
  expect(answers).toBe(2);
  time.ms -= ms;
  await book.current(bob, 60_000);
  expect(answers).toBe(3);
});
