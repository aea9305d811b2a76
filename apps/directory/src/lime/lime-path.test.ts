/** LIME at a path of the operator's choice, beside `/lime` (docs/spec/lime-key-server.md section 1). */
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@sealwire/service/config';
import { encodeRequest, LIME_CONTENT_TYPE, LIME_ERRORS } from '@sealwire/wire/lime-server';
import { directorySettings } from '../settings.ts';
import { testDevice } from '../testing/device.ts';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';

const alice = testDevice(crypto, 'alice');
const request = encodeRequest({ kind: 'getSelfOneTimePrekeys', suite: 'c25519' });

let fixture: Fixture;
afterEach(() => fixture.close());

async function at(path: string, method = 'POST'): Promise<number | string> {
  const headers = { 'content-type': LIME_CONTENT_TYPE, from: alice.id };
  const init = method === 'POST' ? { method, headers, body: request } : { method, headers };
  const response = await fetch(fixture.listening.url + path, init as RequestInit);
  const body = new Uint8Array(await response.arrayBuffer());
  return response.status === 200 && body[3] === LIME_ERRORS.userNotFound ? 'LIME' : response.status;
}

describe('LIME_PATH', () => {
  it('not said: LIME is at /lime, and nothing at /', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on' });
    expect(await at('/lime')).toBe('LIME');
    expect(await at('/')).toBe(404);
  });

  it('/: at the root alone, for POST alone, and at /lime as before', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on', LIME_PATH: '/' });
    for (const path of ['', '/', '/?a=1', '/lime']) expect([path, await at(path)]).toEqual([path, 'LIME']);
    expect(await at('/', 'GET')).toBe(405);
    for (const path of ['/x', '//', '/lime/x', '/directory', '/index.html'])
      expect([path, await at(path)]).toEqual([path, 404]);
    expect(await at('/directory/lime')).toBe(401);
    expect((await fixture.json('GET', '/version')).status).toBe(200);
    expect((await fixture.json('GET', '/directory/manifests/nobody')).status).toBe(404);
  });

  it('another path: there, and at /lime as before', async () => {
    fixture = await startFixture({ OPEN_MODE: 'on', LIME_PATH: '/x3dh/v2' });
    for (const path of ['/x3dh/v2', '/x3dh/v2/', '/x3dh/v2?a', '/lime'])
      expect([path, await at(path)]).toEqual([path, 'LIME']);
    for (const path of ['/', '/x3dh', '/x3dh/v2/x']) expect([path, await at(path)]).toEqual([path, 404]);
  });

  it.each([
    '',
    'x3dh',
    '/x3dh/',
    '//',
    '/a b',
    '/.well-known/sealwire',
    '/v1',
    '/v1/lime',
    '/directory/lime',
    '/relay',
    '/metrics',
    '/version',
  ])('%p is refused in one line: no path, or one where something else is', async (path) => {
    fixture = await startFixture();
    const env = { DOMAIN: 'example.org', PUBLIC_ORIGIN: 'https://a.example', TOKEN_JWKS_URL: 'http://127.0.0.1:1/' };
    const readFile = () => '';
    expect(() => loadConfig(directorySettings, { argv: ['--lime-path', path], env, readFile })).toThrow(/^LIME_PATH: /);
  });
});
