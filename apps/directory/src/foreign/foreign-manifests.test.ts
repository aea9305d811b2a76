/** Lists of devices of another domain, read through the own directory; and peers that are down or lie. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { ManifestAnswer, ManifestHistoryAnswer } from '@sealwire/wire/http';
import type { DirectorySettings } from '../settings.ts';
import { enrol, type SignedManifest, testDevice } from '../testing/device.ts';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';

const THERE = 'example.com';
const carol = testDevice(crypto, 'carol', 'phone', THERE);
const dave = testDevice(crypto, 'dave', 'phone', THERE);
const tablet = testDevice(crypto, 'carol', 'tablet', THERE);
const publicKey = crypto.ed25519.publicKey(crypto.sha256(Buffer.from('key of example.com')));
const PATH = '/directory/manifests/carol%40example.com';

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

const asks = (port: number): Partial<DirectorySettings> => ({
  PEER_DIRECTORIES: [{ domain: THERE, url: new URL(`http://127.0.0.1:${port}/directory/lime`), publicKey }],
});
const portOf = (url: string) => Number(new URL(url).port);

async function startBoth(settings: Partial<DirectorySettings> = {}): Promise<SignedManifest> {
  there = await startFixture({ DOMAIN: THERE, ...settings });
  const first = await enrol(there.store, carol);
  here = await startFixture(asks(portOf(there.listening.url)));
  return first;
}

async function startLiar(answer: (response: ServerResponse) => void): Promise<void> {
  liar = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => liar!.listen(0, '127.0.0.1', resolve));
  here = await startFixture(asks((liar.address() as AddressInfo).port));
}

const answerOf = ({ bytes, signature }: SignedManifest, account = carol) => ({
  address: carol.address,
  accountKey: encodeBase64url(account.accountKey),
  version: 1,
  manifest: encodeBase64url(bytes),
  signature: encodeBase64url(signature),
});
const results = async () =>
  [...(await here!.metrics.text()).matchAll(/foreign_requests_total\{result="(\w+)"\} (\d+)/g)].map(
    ([, result, count]) => `${result} ${count}`,
  );

describe('an account of another domain', () => {
  it('has its newest list and its history here, as they are there', async () => {
    const first = await startBoth();
    const second = carol.manifest([carol.listed, tablet.listed], first.manifest);
    const body = { manifest: encodeBase64url(second.bytes), signature: encodeBase64url(second.signature) };
    expect((await there!.json('PUT', '/directory/manifests/carol', body)).status).toBe(200);
    const { status, json } = await here!.json('GET', PATH);
    expect(status).toBe(200);
    expect(ManifestAnswer.parse(json)).toMatchObject({ address: carol.address, version: 2, manifest: second.bytes });
    const { json: page } = await here!.json('GET', `${PATH}/history?after=1`);
    expect(ManifestHistoryAnswer.parse(page).manifests.map(({ manifest }) => manifest)).toEqual([second.bytes]);
    expect(await results()).toEqual(['answered 2']);
  });

  it('that is not there, or of a domain that is no peer, is not found; a list of it is not to be published here', async () => {
    const first = await startBoth();
    for (const name of [
      'dave%40example.com',
      'carol%40example.net',
      'carol%40',
      '%40example.com',
      'a%2Fb%40example.com',
    ])
      expect((await here!.json('GET', `/directory/manifests/${name}`)).status).toBe(404);
    const body = { manifest: encodeBase64url(first.bytes), signature: encodeBase64url(first.signature) };
    expect((await here!.json('PUT', PATH, body)).status).toBe(404);
  });

  it('D17: a limit over there is no answer here, and keeps nobody else from one', async () => {
    await startBoth({ MANIFEST_READS_PER_ADDRESS: 1 });
    expect((await here!.json('GET', PATH)).status).toBe(200);
    const refused = await here!.json('GET', PATH);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    there!.clock.now += 60_000;
    expect((await here!.json('GET', PATH)).status).toBe(200);
  });

  it('of a directory that is down is not to be had: it is left alone for a while, then asked again', async () => {
    const first = await startBoth();
    const port = portOf(there!.listening.url);
    await there!.close();
    there = undefined;
    for (let n = 0; n < 2; n++) expect((await here!.json('GET', PATH)).status).toBe(503);
    expect(await results()).toEqual(['failed 1', 'skipped 1']);
    here!.clock.now += 10_000;
    liar = createServer((_, response) => response.end(JSON.stringify(answerOf(first))));
    await new Promise<void>((resolve) => liar!.listen(port, '127.0.0.1', resolve));
    expect((await here!.json('GET', PATH)).status).toBe(200);
  });

  it('T220: has none here while its domain is blocked', async () => {
    await startBoth();
    await here!.store.operatorRecords.replace('domain', 0, { key: THERE, version: 1, text: '{}' });
    expect((await here!.json('GET', PATH)).status).toBe(503);
    await here!.store.operatorRecords.remove('domain', THERE);
    expect((await here!.json('GET', PATH)).status).toBe(200);
    expect(await results()).toEqual(['skipped 1', 'answered 1']);
  });
});

describe('S37: a directory that', () => {
  const good = carol.manifest([carol.listed]);
  const ofDave = dave.manifest([dave.listed]);

  it.each<[string, object | string]>([
    ['answers with the list of another account', { ...answerOf(ofDave, dave), address: dave.address }],
    ['answers with the list of another account under this name', answerOf(ofDave, dave)],
    ['shows another key than the one that signed', answerOf(good, dave)],
    ['changes the list', { ...answerOf(good), manifest: encodeBase64url(Uint8Array.from([...good.bytes, 0])) }],
    ['says something else', '<html>'],
    ['answers without end', ' '.repeat(1 << 20)],
  ])('%s: nothing of it is handed out', async (_, answer) => {
    await startLiar((response) => response.end(typeof answer === 'string' ? answer : JSON.stringify(answer)));
    const { status, json } = await here!.json('GET', PATH);
    expect([status, json.code]).toEqual([503, 'unavailable']);
    expect(JSON.stringify(json)).not.toContain('manifest"');
  });

  it('sends the reader elsewhere is not followed', async () => {
    let followed = 0;
    await startLiar((response) => {
      followed += 1;
      response.writeHead(302, { location: '/directory/manifests/carol' }).end();
    });
    expect((await here!.json('GET', PATH)).status).toBe(503);
    expect(followed).toBe(1);
  });
});
