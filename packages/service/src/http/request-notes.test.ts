/** What is kept of a request: its id, its count, its lines of the log, over real connections. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { createHealth } from '../observe/health.ts';
import { createLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { trustedProxies } from './client-address.ts';
import type { HttpDoor } from './http-door.ts';
import { type Listening, listen } from './listen.ts';
import { nameRoute, noteDevice, requestIds } from './request-notes.ts';

const NGINX_ID = '9f86d081884c7d659a2feaa0c55ad015';
const UUID = '6c3b1c1e-2d1f-4a6e-9a5e-0d7c6b5a4f3e';
const DEVICE = 'sip:alice@example.org;gr=urn:uuid:6c3b1c1e-2d1f-4a6e-9a5e-0d7c6b5a4f3e';

let listening: Listening | undefined;
afterEach(() => listening?.close());

/** `/v1/things/NAME` is a route, `/v1/break` fails. */
const door: HttpDoor = {
  handle(request, response) {
    if (request.url === '/v1/break') throw new Error('nobody expected this');
    if (request.url?.startsWith('/v1/things/')) nameRoute(request, '/v1/things/:name');
    noteDevice(request, DEVICE);
    response.end('ok');
  },
  ready: async () => {},
  close: async () => {},
};

async function serve({ trusted = false, identifiers = false } = {}) {
  const lines: Record<string, unknown>[] = [];
  const metrics = createMetrics();
  const now = () => 1_800_000_000_000;
  const write = (line: string) => lines.push(JSON.parse(line));
  const log = createLog({ server: 'test', level: 'debug', now, identifiers, write });
  const health = createHealth({ server: 'test', version: '1', ready: door.ready, metrics, log, now });
  listening = await listen({
    address: { host: '127.0.0.1', port: 0 },
    routes: [{ prefix: '/', door }],
    health,
    log,
    metrics,
    proxies: trustedProxies(trusted ? ['127.0.0.0/8'] : []),
    newRequestId: requestIds('ab12cd34'),
  });
  const { url } = listening;
  async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
    const response = await fetch(url + path, { method, headers });
    await response.arrayBuffer();
    return response;
  }
  const counted = async () =>
    (await metrics.httpRequests.get()).values.map(
      ({ labels: { route, method, status }, value }) => `${method} ${route} ${status}: ${value}`,
    );
  return { ask, lines, metrics, counted };
}

describe('the id of a request', () => {
  it('is ours, counted up, and in the answer', async () => {
    const { ask } = await serve();
    const ids = [await ask('/a'), await ask('/b')].map(({ headers }) => headers.get('x-request-id'));
    expect(ids).toEqual(['ab12cd3400000001', 'ab12cd3400000002']);
  });

  it('T207: is taken from a trusted proxy, and from nobody else', async () => {
    const { ask } = await serve();
    expect((await ask('/', { 'x-request-id': NGINX_ID })).headers.get('x-request-id')).toBe('ab12cd3400000001');
    await listening?.close();
    const behind = await serve({ trusted: true });
    expect((await behind.ask('/', { 'x-request-id': NGINX_ID })).headers.get('x-request-id')).toBe(NGINX_ID);
    const plain = UUID.replaceAll('-', '');
    expect((await behind.ask('/', { 'x-request-id': UUID })).headers.get('x-request-id')).toBe(plain);
  });

  it.each([
    ['too short', 'abc'],
    ['too long', 'a'.repeat(64)],
    ['no hexadecimal number', 'sip:alice@example.org'],
    ['several', `${NGINX_ID}, ${NGINX_ID}`],
    ['markup', '<script>alert(1)</script>'],
  ])('T207: that is %s is not taken over, whoever sends it', async (_, id) => {
    const { ask } = await serve({ trusted: true });
    expect((await ask('/', { 'x-request-id': id })).headers.get('x-request-id')).toBe('ab12cd3400000001');
  });

  it('is on the line of an error that nobody expected', async () => {
    const { ask, lines } = await serve({ trusted: true });
    expect((await ask('/v1/break', { 'x-request-id': NGINX_ID })).status).toBe(500);
    expect(lines.find(({ event }) => event === 'request-failed')).toMatchObject({ request: NGINX_ID });
  });
});

describe('a request is counted', () => {
  it('T206: by the template of its route, whatever its path and its method are', async () => {
    const { ask, counted } = await serve();
    await ask('/v1/things/alice');
    await ask('/v1/things/bob%40example.org', {}, 'POST');
    await ask('/v1/elsewhere/alice');
    await ask('/v1/things/alice', {}, 'PURGE');
    expect(await counted()).toEqual([
      'GET /v1/things/:name 200: 1',
      'POST /v1/things/:name 200: 1',
      'GET unknown 200: 1',
      'other /v1/things/:name 200: 1',
    ]);
  });

  it('by the pages of the operator, a malformed head and an error', async () => {
    const { ask, counted } = await serve();
    await ask('/livez');
    await ask('/', { 'content-encoding': 'gzip' });
    await ask('/v1/break');
    expect(await counted()).toEqual(['GET /livez 200: 1', 'GET malformed 415: 1', 'GET unknown 500: 1']);
  });

  it('with the time that it took, and as under way until then', async () => {
    const { ask, metrics } = await serve();
    await ask('/v1/things/alice');
    const text = await metrics.text();
    expect(text).toContain('sealwire_http_request_seconds_count{route="/v1/things/:name"} 1');
    expect(text).toContain('sealwire_http_requests_under_way 0');
  });
});

describe('the line of a request', () => {
  it.each([false, true])(
    'T206: names neither path nor client, and its device only when identifiers are on: %s',
    async (on) => {
      const { ask, lines } = await serve({ identifiers: on });
      await ask('/v1/things/alice?who=alice', { 'user-agent': 'alice-phone' });
      const { durationMs, ...line } = lines.find(({ event }) => event === 'request')!;
      expect(durationMs).toBeGreaterThanOrEqual(0);
      expect(line).toEqual({
        level: 'debug',
        time: 1_800_000_000_000,
        server: 'test',
        event: 'request',
        method: 'GET',
        status: 200,
        route: '/v1/things/:name',
        request: 'ab12cd3400000001',
        ...(on && { device: DEVICE }),
      });
    },
  );
});
