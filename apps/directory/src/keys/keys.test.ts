import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type DirectoryKeys, keysDigests } from '@sealwire/wire/keys-check';
import { LIME_SUITES, type ServedSuite, SUITE_NAMES } from '@sealwire/wire/lime-server';
import { enrol, testDevice } from '../testing/device.ts';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';

const alice = testDevice(crypto, 'alice');
const bob = testDevice(crypto, 'bob');

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture({ KEY_UPLOADS_PER_DEVICE: 20 });
  await enrol(fixture.store, alice);
  await enrol(fixture.store, bob);
});
afterEach(() => fixture.close());

function belief(suite: ServedSuite, change: Partial<DirectoryKeys> = {}) {
  const identityKey = bob.identityKey(suite);
  const keys = { identityKey, signedPrekey: bob.signedPrekey(suite), oneTimePrekeyIds: [3, 1, 2], ...change };
  const digests = Object.entries(keysDigests(crypto, suite, keys));
  return {
    suite: LIME_SUITES[suite].id,
    ...Object.fromEntries(digests.map(([part, digest]) => [part, encodeBase64url(digest)])),
  };
}

async function check(suites: readonly object[], device = bob, authorization?: string) {
  const token = authorization ?? (await fixture.headersOf(device)).authorization!;
  const response = await fetch(`${fixture.listening.url}/directory/keys/check`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: token },
    body: JSON.stringify({ suites }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
}

async function differing(suites: readonly object[]) {
  const { status, json } = await check(suites);
  expect([status, json.code]).toEqual([409, 'keys-differ']);
  return json.errors.map(({ pointer }: { pointer: string }) => pointer);
}

describe('D15: POST /directory/keys/check', () => {
  it('answers 204 when the directory holds the same, on one suite or on all', async () => {
    for (const suite of SUITE_NAMES) await fixture.lime(bob, bob.registration(suite, 1, 2, 3));
    expect((await check([belief('c448')])).status).toBe(204);
    expect((await check(SUITE_NAMES.map((suite) => belief(suite)))).status).toBe(204);
    expect(await fixture.metrics.text()).toContain('sealwire_directory_key_checks_total{result="same"} 2');
  });

  it('says which part of which suite differs, and counts it', async () => {
    await fixture.lime(bob, bob.registration('c25519', 1, 2, 3));
    await fixture.lime(bob, bob.registration('c448', 1, 2, 3));
    const other = { signedPrekey: bob.signedPrekey('c448', 2), identityKey: alice.identityKey('c448') };
    expect(await differing([belief('c25519'), belief('c448', other)])).toEqual([
      '/suites/1/identityKey',
      '/suites/1/signedPrekey',
    ]);
    await fixture.bundles(alice, 'c25519', bob.id);
    expect(await differing([belief('c25519'), belief('c448')])).toEqual(['/suites/0/oneTimePrekeys']);
    expect((await check([belief('c25519', { oneTimePrekeyIds: [2, 3] })])).status).toBe(204);
    expect(await fixture.metrics.text()).toContain('sealwire_directory_key_checks_total{result="differ"} 2');
  });

  it('says which suite is not registered, or not known here at all', async () => {
    await fixture.lime(bob, bob.registration('c25519', 1, 2, 3));
    const unknown = { ...belief('c25519'), suite: 77 };
    expect(await differing([belief('c25519'), belief('c448'), unknown])).toEqual(['/suites/1', '/suites/2']);
  });

  it('answers about the device of the token only, and to nobody without one', async () => {
    await fixture.lime(bob, bob.registration('c25519', 1, 2, 3));
    expect((await check([belief('c25519')], alice)).json.errors).toEqual([
      { pointer: '/suites/0', detail: 'not registered' },
    ]);
    for (const authorization of ['', 'Bearer x.y.z', 'Digest username="bob"']) {
      const { status, headers } = await check([belief('c25519')], bob, authorization);
      expect([status, headers.get('www-authenticate')?.slice(0, 6)]).toEqual([401, 'Bearer']);
    }
  });

  it('H09: refuses bodies of another form', async () => {
    const good = belief('c25519');
    for (const suites of [[], [{ ...good, more: 1 }], [{ ...good, identityKey: 'AA' }], [{ ...good, suite: 0 }]])
      expect((await check(suites)).status).toBe(400);
  });

  it('is limited with the uploads of the device', async () => {
    for (let i = 0; i < 20; i++) await check([belief('c25519')]);
    const { status, headers } = await check([belief('c25519')]);
    expect([status, headers.get('retry-after')]).toEqual([429, '600']);
  });
});
