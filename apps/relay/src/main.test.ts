/** The real process: listens, says what is wrong in one line, and drains on SIGTERM. */
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { hasRedis, type OwnRedis, startRedis } from '@sealwire/bus/testing/own-redis';
import { publishedKeys } from '@sealwire/service/testing/published-keys';
import { serverProcesses } from '@sealwire/service/testing/server-process';
import { type Link, linkTo } from './testing/link.ts';
import { TestClient } from './testing/test-client.ts';

jest.setTimeout(30_000);

const { folder, start } = serverProcesses(import.meta.url);
const keys = await publishedKeys();
const ENV = {
  LISTEN: '127.0.0.1:0',
  DOMAIN: 'relay.test',
  PUBLIC_ORIGIN: 'http://localhost:1',
  TOKEN_JWKS_URL: keys.url,
  STORE_URL: `lmdb:${join(folder, 'store')}`,
};

describe('the process', () => {
  it('is not ready before it knows the keys that tokens are checked by', async () => {
    const url = await start([], { ...ENV, TOKEN_JWKS_URL: 'http://127.0.0.1:1/jwks.json' }).listening();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
  });

  it('listens, is ready, takes sockets, and ends in order on SIGTERM', async () => {
    const { child, ended, listening } = start([], ENV);
    const url = await listening();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('sealwire_relay_connections 0');
    const client = await TestClient.connect(`${url.replace('http', 'ws')}/relay`);
    child.kill('SIGTERM');
    expect((await client.closed).code).toBe(4000);
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });

  it('K14: a missing setting is one line with the fix, and exit code 2', async () => {
    const { TOKEN_JWKS_URL: _, ...env } = ENV;
    const { code, signal, stderr } = await start([], env).ended;
    expect([code, signal]).toEqual([2, null]);
    expect(stderr).toMatch(/^relay: TOKEN_JWKS_URL: is not set — for example TOKEN_JWKS_URL=http\S+\n$/);
  });
});

(hasRedis ? describe : describe.skip)('the process on Redis (skipped without redis-server)', () => {
  let redis: OwnRedis;
  let link: Link;
  afterEach(async () => {
    await link?.close();
    await redis.stop();
  });

  it('K14: a Redis that demands a password is one line with the fix, and exit code 2', async () => {
    redis = await startRedis();
    await redis.admin.config('SET', 'requirepass', 'secret');
    const { code, stderr } = await start([], { ...ENV, BUS_URL: `redis://127.0.0.1:${redis.port}` }).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^relay: BUS_URL: .*another password; write redis:\/\/:PASSWORD@HOST[^\n]*\n$/);
  });

  it('K14: regions that are named wrongly are one line with the fix, and exit code 2', async () => {
    redis = await startRedis();
    const BUS_URL = `redis://127.0.0.1:${redis.port}`;
    const { code, stderr } = await start([], { ...ENV, BUS_URL, BUS_PEERS: `west=${BUS_URL}` }).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^relay: BUS_PEERS: west is the Redis of BUS_URL, too: [^\n]*\n$/);
  });

  it('T216: is ready while another region is away, tells of it, and hears it when it is there', async () => {
    redis = await startRedis();
    const west = await startRedis();
    try {
      link = await linkTo(west.port);
      link.cut();
      const urls = { BUS_URL: `redis://127.0.0.1:${redis.port}`, BUS_PEERS: `west=redis://127.0.0.1:${link.port}` };
      const { listening, says } = start([], { ...ENV, ...urls });
      const url = await listening();
      expect(await says(/"event":"region-lost"/)).toContain('"region":"west"');
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      const metric = async () => /sealwire_bus_region_connected\{region="west"\} \d/.exec(await textOf(url))?.[0];
      expect(await metric()).toMatch(/ 0$/);
      link.mend();
      await says(/"event":"region-restored"/);
      expect(await metric()).toMatch(/ 1$/);
    } finally {
      await west.stop();
    }
  });

  it('B02: says in the log that it is cut off from the others, and that it is not any more, and counts it', async () => {
    redis = await startRedis();
    link = await linkTo(redis.port);
    const { listening, says } = start([], { ...ENV, BUS_URL: `redis://127.0.0.1:${link.port}` });
    const url = await listening();
    link.cut();
    expect(await says(/"event":"bus-lost"/)).toContain('"setting":"BUS_URL"');
    link.mend();
    await says(/"event":"bus-restored"/);
    const text = await textOf(url);
    for (const fault of ['lost', 'interrupted'])
      expect(text).toContain(`sealwire_bus_faults_total{fault="${fault}"} 1`);
  });
});

async function textOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}
