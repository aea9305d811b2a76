/** The real process: listens, says what is wrong in one line, and ends in order on SIGTERM. */
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { serverProcesses } from '@sealwire/service/testing/server-process';

jest.setTimeout(30_000);

const { folder, start } = serverProcesses(import.meta.url);
const ENV = {
  LISTEN: '127.0.0.1:0',
  DOMAIN: 'directory.test',
  PUBLIC_ORIGIN: 'http://localhost:1',
  TOKEN_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
  STORE_URL: `lmdb:${join(folder, 'store')}`,
};

describe('the process', () => {
  it('listens, is ready, answers, and ends in order on SIGTERM', async () => {
    const { child, ended, listening } = start([], ENV);
    const url = await listening();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/directory/manifests/alice`)).status).toBe(404);
    expect((await fetch(`${url}/lime`, { method: 'POST' })).status).toBe(401);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });

  it('K14: a store URL of no kind is one line with the fix, and exit code 2', async () => {
    const { code, signal, stderr } = await start([], { ...ENV, STORE_URL: 'nothing' }).ended;
    expect([code, signal]).toEqual([2, null]);
    expect(stderr).toMatch(/^directory: STORE_URL: .*not a store URL.*\n$/);
  });
});
