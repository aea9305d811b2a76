/** The real process: listens, says what is wrong in one line, and ends in order on SIGTERM. */
import { readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { publishedKeys } from '@sealwire/service/testing/published-keys';
import { selfSigned, writeSelfSigned } from '@sealwire/service/testing/self-signed';
import { serverProcesses } from '@sealwire/service/testing/server-process';

jest.setTimeout(30_000);

const { folder, start } = serverProcesses(import.meta.url);
const keys = await publishedKeys();
const ENV = {
  LISTEN: '127.0.0.1:0',
  DOMAIN: 'directory.test',
  PUBLIC_ORIGIN: 'http://localhost:1',
  TOKEN_JWKS_URL: keys.url,
  STORE_URL: `lmdb:${join(folder, 'store')}`,
};

describe('the process', () => {
  it('is not ready before it knows the keys that tokens are checked by', async () => {
    const url = await start([], { ...ENV, TOKEN_JWKS_URL: 'http://127.0.0.1:1/jwks.json' }).listening();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
  });

  it('listens, is ready, answers, and ends in order on SIGTERM', async () => {
    const { child, ended, listening } = start([], ENV);
    const url = await listening();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/directory/manifests/alice`)).status).toBe(404);
    expect((await fetch(`${url}/lime`, { method: 'POST' })).status).toBe(401);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });

  it('K14: an open mode for more than this machine, and TLS with half of its files, are one line and exit code 2', async () => {
    const open = await start([], { ...ENV, LISTEN: '0.0.0.0:0', OPEN_MODE: 'on' }).ended;
    expect([open.code, open.stderr]).toEqual([
      2,
      expect.stringMatching(/^directory: OPEN_MODE: is on, and 0\.0\.0\.0 .* — .*\n$/),
    ]);
    const half = await start([], { ...ENV, TLS_KEY_FILE: '/key.pem' }).ended;
    expect([half.code, half.stderr]).toEqual([
      2,
      expect.stringMatching(/^directory: TLS_CERT_FILE: is not set.* — .*\n$/),
    ]);
  });

  it('speaks TLS itself, in open mode, with a key for app passwords: each by its setting', async () => {
    const tls = writeSelfSigned(selfSigned('directory'));
    const secret = Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url');
    const settings = {
      OPEN_MODE: 'on',
      APP_PASSWORD_KEY: secret,
      TLS_CERT_FILE: tls.certificate,
      TLS_KEY_FILE: tls.key,
    };
    const { says, listening } = start([], { ...ENV, STORE_URL: 'memory:', ...settings });
    const { port } = new URL(await listening());
    await says(/"event":"open-mode"/);
    const ask = (path: string, method: string, headers = {}) =>
      new Promise<{ status: number | undefined; offered: string | undefined; body: string }>((resolve, reject) => {
        const to = {
          host: 'localhost',
          family: 4,
          port,
          path,
          method,
          headers,
          ca: readFileSync(tls.certificate),
          agent: false,
        };
        const sent = request(to, async (response) => {
          let body = '';
          for await (const chunk of response) body += chunk;
          resolve({ status: response.statusCode, offered: response.headers['www-authenticate'], body });
        });
        sent.on('error', reject).end();
      });
    expect(JSON.parse((await ask('/version', 'GET')).body)).toMatchObject({ server: 'directory', openMode: true });
    const refused = await ask('/lime', 'POST', { authorization: 'Bearer x.y.z' });
    expect([refused.status, refused.offered]).toEqual([
      401,
      expect.stringMatching(/^Digest realm="directory\.test".*Bearer/),
    ]);
    rmSync(tls.folder, { recursive: true });
  });

  it('K14: a store URL of no kind is one line with the fix, and exit code 2', async () => {
    const { code, signal, stderr } = await start([], { ...ENV, STORE_URL: 'nothing' }).ended;
    expect([code, signal]).toEqual([2, null]);
    expect(stderr).toMatch(/^directory: STORE_URL: .*not a store URL.*\n$/);
  });
});
