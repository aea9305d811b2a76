/** What must hold on the durable store too: one-time keys given out once, across races and a restart; removal by manifest. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openLmdbStore } from '@sealwire/store/lmdb';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { LIME_ERRORS, SUITE_NAMES } from '@sealwire/wire/lime-server';
import { enrol, type SignedManifest, testDevice } from './testing/device.ts';
import { crypto, type Fixture, startFixture } from './testing/fixture.ts';

const alice = testDevice(crypto, 'alice');
const bob = testDevice(crypto, 'bob');
const laptop = testDevice(crypto, 'bob', 'laptop');
const range = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

let folder: string;
let fixture: Fixture;
let first: SignedManifest;
const start = async () => startFixture({}, { store: await openLmdbStore({ path: folder }) });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-directory-'));
  fixture = await start();
  await enrol(fixture.store, alice);
  first = await enrol(fixture.store, bob);
});
afterEach(async () => {
  await fixture.close();
  rmSync(folder, { recursive: true });
});

async function restart() {
  await fixture.close();
  fixture = await start();
}

const publish = ({ bytes, signature }: SignedManifest) =>
  fixture.json('PUT', '/directory/manifests/bob', {
    manifest: encodeBase64url(bytes),
    signature: encodeBase64url(signature),
  });

describe.each(SUITE_NAMES)('on LMDB, %s', (suite) => {
  it('D02, D05: what was given out before a restart is gone after it; a repeated registration changes nothing', async () => {
    await fixture.lime(bob, bob.registration(suite, 1, 2, 3));
    const [given] = await fixture.bundles(alice, suite, bob.id);
    expect(given!.bundle!.oneTimePrekey!.id).toBe(1);
    await restart();
    expect((await fixture.lime(bob, bob.registration(suite, 1, 2, 3))).kind).toBe('ack');
    expect(await fixture.lime(bob, { kind: 'getSelfOneTimePrekeys', suite })).toMatchObject({ ids: [2, 3] });
    const [next] = await fixture.bundles(alice, suite, bob.id);
    expect(next!.bundle!.oneTimePrekey!.id).toBe(2);
    expect(Buffer.from(next!.bundle!.identityKey)).toEqual(Buffer.from(bob.identityKey(suite)));
  });

  it('D12: many at once get different keys, and the pool ends at its end', async () => {
    await fixture.lime(bob, bob.registration(suite, ...range(12)));
    const answers = await Promise.all(range(8).map(() => fixture.bundles(alice, suite, bob.id, bob.id)));
    const ids = answers.flat().map(({ bundle }) => bundle!.oneTimePrekey?.id);
    expect(ids.filter((id) => id !== undefined).sort((a, b) => a - b)).toEqual(range(12));
    expect(ids.filter((id) => id === undefined)).toHaveLength(4);
  });

  it('D03, D04, D11: repeats, conflicts and the cap', async () => {
    await fixture.lime(bob, bob.registration(suite, ...range(199)));
    const upload = (oneTimePrekeys: ReturnType<typeof bob.oneTime>) =>
      fixture.lime(bob, { kind: 'postOneTimePrekeys', suite, oneTimePrekeys });
    expect((await upload(bob.oneTime(suite, 300))).kind).toBe('ack');
    expect((await upload(bob.oneTime(suite, 300))).kind).toBe('ack');
    expect(await upload(bob.oneTime(suite, 301))).toMatchObject({ code: LIME_ERRORS.limitReached });
    expect(await upload([{ ...bob.oneTime(suite, 9)[0]!, id: 300 }])).toMatchObject({ code: LIME_ERRORS.badRequest });
  });

  it('D21, S45: a device that a manifest leaves out has no bundle any more, after a restart too', async () => {
    const second = bob.manifest([bob.listed, laptop.listed], first.manifest);
    expect((await publish(second)).status).toBe(200);
    await fixture.lime(laptop, laptop.registration(suite, 1));
    expect((await fixture.bundles(alice, suite, laptop.id))[0]!.bundle).toBeDefined();
    expect((await publish(bob.manifest([bob.listed], second.manifest))).status).toBe(200);
    await restart();
    expect((await fixture.bundles(alice, suite, laptop.id))[0]!.bundle).toBeUndefined();
    await expect(fixture.lime(laptop, laptop.registration(suite, 1))).rejects.toThrow('status 401');
  });
});
