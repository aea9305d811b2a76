import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { ManifestAnswer, ManifestHistoryAnswer } from '@sealwire/wire/http';
import { parseDeviceId } from '@sealwire/wire/ids';
import { encodeRequest } from '@sealwire/wire/lime-server';
import { admitted, enrol, type SignedManifest, testDevice } from '../testing/device.ts';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';

const phone = testDevice(crypto, 'alice', 'phone');
const laptop = testDevice(crypto, 'alice', 'laptop');
const bob = testDevice(crypto, 'bob');
const PATH = '/directory/manifests/alice';

let fixture: Fixture;
let first: SignedManifest;
beforeEach(async () => {
  fixture = await startFixture();
  first = await enrol(fixture.store, phone);
  await enrol(fixture.store, bob);
  fixture.announced.length = 0;
});
afterEach(() => fixture.close());

const body = ({ bytes, signature }: Pick<SignedManifest, 'bytes' | 'signature'>) => ({
  manifest: encodeBase64url(bytes),
  signature: encodeBase64url(signature),
});
const put = (signed: Pick<SignedManifest, 'bytes' | 'signature'>, path = PATH) =>
  fixture.json('PUT', path, body(signed));
const deviceIds = async () => (await fixture.store.devices.list([phone.address]))[0]!.map(({ id }) => id).sort();
const withLaptop = () => phone.manifest([phone.listed, laptop.listed], first.manifest);

describe('publishing', () => {
  it('a second device becomes a device: it can be found and can register keys', async () => {
    const { status, json } = await put(withLaptop());
    expect(status).toBe(200);
    expect(ManifestAnswer.parse(json).version).toBe(2);
    expect(await deviceIds()).toEqual([phone.id, laptop.id].sort());
    expect((await fixture.lime(laptop, laptop.registration('c448', 1))).kind).toBe('ack');
    expect(fixture.announced).toEqual([
      { kind: 'devices-changed', address: phone.address, version: 2, devices: [phone.id, laptop.id] },
    ]);
  });

  it('S45: a device that the next version leaves out is removed: login, keys and all; all nodes are told', async () => {
    const second = withLaptop();
    await put(second);
    await fixture.lime(laptop, laptop.registration('c25519', 1));
    const headers = await fixture.headersOf(laptop);
    fixture.announced.length = 0;
    expect((await put(phone.manifest([phone.listed], second.manifest))).status).toBe(200);
    expect(await fixture.store.devices.find(laptop.id)).toBeUndefined();
    expect(
      (await fixture.limeRaw(encodeRequest({ kind: 'getSelfOneTimePrekeys', suite: 'c25519' }), headers)).status,
    ).toBe(401);
    expect((await fixture.bundles(bob, 'c25519', laptop.id))[0]!.bundle).toBeUndefined();
    expect(fixture.announced).toEqual([
      { kind: 'device-removed', device: laptop.id },
      { kind: 'devices-changed', address: phone.address, version: 3, devices: [phone.id] },
    ]);
  });

  it('E04, I12: a removed device id is never given out again', async () => {
    const second = withLaptop();
    await put(second);
    const third = phone.manifest([phone.listed], second.manifest);
    await put(third);
    const { status, json } = await put(phone.manifest([phone.listed, laptop.listed], third.manifest));
    expect([status, json.code]).toEqual([409, 'conflict']);
    expect((await fixture.store.manifests.newest(phone.address))?.version).toBe(3);
  });

  it.each(['urn:uuid:1\u202e', 'urn:uuid:1\u200b', 're\u0301ne'])('a new device called %j → 422', async (gr) => {
    const device = { ...laptop.listed, id: parseDeviceId(`${phone.address};gr=${gr}`) };
    const { status, json } = await put(phone.manifest([phone.listed, device], first.manifest));
    expect([status, json.code]).toEqual([422, 'invalid-manifest']);
    expect(await deviceIds()).toEqual([phone.id]);
  });

  it('a device that is there already stays, whatever it is called', async () => {
    const old = { ...laptop.listed, id: parseDeviceId(`${phone.address};gr=urn:uuid:1\u202e`) };
    const second = phone.manifest([phone.listed, old], first.manifest);
    const stored = { version: 2, bytes: second.bytes, signature: second.signature };
    await fixture.store.manifests.publish(phone.address, stored, second.manifest.devices, fixture.clock.now);
    const tablet = testDevice(crypto, 'alice', 'tablet');
    const third = phone.manifest([phone.listed, old, tablet.listed], second.manifest);
    expect((await put(third)).status).toBe(200);
    expect(await deviceIds()).toEqual([phone.id, old.id, tablet.id].sort());
  });

  it('a device that waits under such an id already can be admitted', async () => {
    const old = { ...laptop, id: parseDeviceId(`${phone.address};gr=urn:uuid:1\u202e`) };
    const { identityKey, signedPrekey } = laptop.registration('c25519');
    const terms = { maximum: 10, now: fixture.clock.now, withoutAccount: false };
    await fixture.store.waiting.register(old.id, 'c25519', { identityKey, signedPrekey }, [], terms);
    const device = admitted(old, { suite: 'c25519', identityKey });
    expect((await put(phone.manifest([phone.listed, device], first.manifest))).status).toBe(200);
  });

  it('the same version again is a no-op', async () => {
    await put(withLaptop());
    fixture.announced.length = 0;
    const { status, json } = await put(withLaptop());
    expect([status, json.version]).toEqual([200, 2]);
    expect(fixture.announced).toEqual([]);
  });

  it('S38: an older, a skipped and a competing version → 409 with the newest one', async () => {
    await put(withLaptop());
    const competing = phone.manifest([], first.manifest);
    const skipped = phone.manifest([phone.listed], { ...first.manifest, version: 5 });
    for (const signed of [first, competing, skipped]) {
      const { status, json } = await put(signed);
      expect([status, json.code, json.newest]).toEqual([409, 'conflict', 2]);
    }
    expect(await deviceIds()).toEqual([phone.id, laptop.id].sort());
  });

  it('two at once: one is published, the other hears of it', async () => {
    const rivals = [phone.manifest([phone.listed, laptop.listed], first.manifest), phone.manifest([], first.manifest)];
    const answers = await Promise.all(rivals.map((signed) => put(signed)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('a version that does not follow the newest → 422', async () => {
    const forked = phone.manifest([phone.listed, laptop.listed], first.manifest, {
      previous: new Uint8Array(32).fill(9),
    });
    const changed = { ...phone.listed, loginKey: laptop.listed.loginKey };
    const otherKeys = phone.manifest([changed], first.manifest);
    for (const signed of [forked, otherKeys]) {
      const { status, json } = await put(signed);
      expect([status, json.code]).toEqual([422, 'invalid-manifest']);
    }
  });

  it('S37: the account key’s signature is the authority: no other key’s, no bare one (S33), no small-order key’s (S31)', async () => {
    const signed = withLaptop();
    const byBob = bob.manifest([bob.listed]);
    const signatures = [
      byBob.signature,
      crypto.ed25519.sign(phone.loginSeed, signed.bytes),
      new Uint8Array(64),
      Uint8Array.of(1, ...new Uint8Array(63)),
    ];
    for (const signature of signatures) {
      const { status, json } = await put({ bytes: signed.bytes, signature });
      expect([status, json.code]).toEqual([422, 'invalid-manifest']);
    }
    expect(await fixture.store.devices.find(laptop.id)).toBeUndefined();
  });

  it('a manifest of another account, under this name or that → 422', async () => {
    const ofBob = bob.manifest([bob.listed], undefined, { version: 2, previous: new Uint8Array(32).fill(1) });
    expect((await put(ofBob)).status).toBe(422);
    expect((await put(withLaptop(), '/directory/manifests/bob')).status).toBe(422);
  });

  it('413, 415 and 400 for what is no such body', async () => {
    const url = `${fixture.listening.url}${PATH}`;
    const json = { 'content-type': 'application/json' };
    const status = async (init: RequestInit) => (await fetch(url, { method: 'PUT', ...init })).status;
    expect(await status({ headers: json, body: 'x'.repeat(70_000) })).toBe(413);
    expect(await status({ headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: 'x' })).toBe(415);
    expect(await status({ headers: json, body: '{}' })).toBe(400);
    expect(await status({ headers: json, body: JSON.stringify({ ...body(first), more: 1 }) })).toBe(400);
  });
});

describe('a list that never stops changing', () => {
  it('sixty versions an hour of one account, then 429; what is not signed by it does not count', async () => {
    await fixture.close();
    fixture = await startFixture({ MANIFEST_WRITES_PER_ADDRESS: 0 });
    let last = await enrol(fixture.store, phone);
    const next = () => phone.manifest([phone.listed], last.manifest);
    for (let i = 0; i < 5; i++) await put({ ...next(), signature: new Uint8Array(64) });
    for (let i = 0; i < 60; i++) {
      last = next();
      expect((await put(last)).status).toBe(200);
    }
    const refused = await put(next());
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect((await put(last)).status).toBe(200);
    fixture.clock.now += 3_600_000;
    expect((await put(next())).status).toBe(200);
  });
});

describe('reading', () => {
  it('the newest, with the account key, as it was signed', async () => {
    const { status, headers, json } = await fixture.json('GET', PATH);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    const answer = ManifestAnswer.parse(json);
    expect(answer.address).toBe(phone.address);
    expect(Buffer.from(answer.accountKey)).toEqual(Buffer.from(phone.accountKey));
    expect(Buffer.from(answer.manifest)).toEqual(Buffer.from(first.bytes));
    expect(Buffer.from(answer.signature)).toEqual(Buffer.from(first.signature));
  });

  it('the history in pages of a hundred', async () => {
    let last = first;
    for (let version = 2; version <= 102; version++) {
      last = phone.manifest([phone.listed], last.manifest);
      await fixture.store.manifests.publish(phone.address, { version, ...last }, [phone.listed], 0);
    }
    const page = async (query: string) =>
      ManifestHistoryAnswer.parse((await fixture.json('GET', `${PATH}/history${query}`)).json);
    const one = await page('');
    expect([one.manifests.length, one.next]).toEqual([100, 100]);
    const two = await page('?after=100');
    expect([two.manifests.length, two.next]).toEqual([2, undefined]);
    expect((await page('?after=102')).manifests).toEqual([]);
  });

  it('a bad page is 400', async () => {
    for (const query of ['?after=-1', '?after=x', '?after=1&limit=5', '?after=1&after=2'])
      expect((await fixture.json('GET', `${PATH}/history${query}`)).status).toBe(400);
  });

  it('S76: unknown, deleted and malformed names are one 404, whatever the method', async () => {
    await fixture.store.accounts.delete(bob.address, fixture.clock.now);
    const answers = [];
    for (const name of ['nobody', 'bob', 'NOT-A-NAME', 'x', encodeURIComponent('../../etc'), 'constructor'])
      for (const suffix of ['', '/history'])
        answers.push(await fixture.json('GET', `/directory/manifests/${name}${suffix}`));
    answers.push(await put(withLaptop(), '/directory/manifests/nobody'));
    for (const { status, json } of answers) {
      expect(status).toBe(404);
      expect(json).toEqual(answers[0]!.json);
    }
  });

  it('D17: reads and writes are limited per address', async () => {
    await fixture.close();
    fixture = await startFixture({ MANIFEST_READS_PER_ADDRESS: 2, MANIFEST_WRITES_PER_ADDRESS: 1 });
    await enrol(fixture.store, phone);
    const statuses = [];
    for (const path of [PATH, `${PATH}/history`, PATH]) statuses.push((await fixture.json('GET', path)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await put(withLaptop())).status).toBe(200);
    const refused = await put(withLaptop());
    const told = ['retry-after', 'ratelimit-policy', 'ratelimit'].map((name) => refused.headers.get(name));
    expect([refused.status, ...told]).toEqual([429, '60', '"manifest-writes";q=1;w=60', '"manifest-writes";r=0;t=60']);
    fixture.clock.now += 60_000;
    const again = await fixture.json('GET', PATH);
    expect([again.status, again.headers.get('ratelimit')]).toEqual([200, '"manifest-reads";r=1;t=60']);
  });

  it.each([
    ['DELETE', PATH, 'GET, HEAD, PUT'],
    ['POST', `${PATH}/history`, 'GET, HEAD'],
  ])('%s %s → 405, Allow: %s', async (method, path, allow) => {
    const { status, headers, json } = await fixture.json(method, path);
    expect([status, json.code, headers.get('allow')]).toEqual([405, 'method-not-allowed', allow]);
  });
});

describe('a name in a path that is none', () => {
  const names = [
    'x'.repeat(765),
    'x'.repeat(766),
    'x'.repeat(800),
    'x'.repeat(9000),
    '%00',
    'ali%CC%81ce',
    '%F0%9F%98%80',
  ];
  it.each(
    names.flatMap((name) => ['', '/history'].map((rest) => [name.slice(0, 20), name.length, name + rest] as const)),
  )('%s… (%i): 404 as for an unknown account', async (_, _length, path) => {
    const unknown = await fixture.json('GET', '/directory/manifests/nobody');
    const { status, json } = await fixture.json('GET', `/directory/manifests/${path}`);
    expect([status, json]).toEqual([404, unknown.json]);
  });

  it('publishing under one: 404', async () => {
    expect((await put(first, `/directory/manifests/${'x'.repeat(800)}`)).status).toBe(404);
  });
});
