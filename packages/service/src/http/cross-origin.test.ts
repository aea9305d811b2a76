import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHealth } from '../observe/health.ts';
import { silentLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { HttpDoor } from './http-door.ts';
import { type Listening, listen } from './listen.ts';
import { Problem } from './problem.ts';

const PAGE = 'https://app.example.org';
const PREFLIGHT = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };

let listening: Listening;
let seen: string[];

async function start(allowedOrigins?: readonly string[]): Promise<void> {
  const metrics = createMetrics();
  seen = [];
  const door: HttpDoor = {
    handle(request: IncomingMessage, response: ServerResponse) {
      seen.push(`${request.method} ${request.url}`);
      // As the framework does: the door's own headers come with the head.
      if (request.url === '/ok') return void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
      if (request.url === '/throws') throw new Error('unexpected');
      const problem = new Problem('too-many-requests', { retryAfterSeconds: 7 });
      response.writeHead(problem.status, problem.headers()).end(problem.body());
    },
    async ready() {},
    async close() {},
  };
  listening = await listen({
    address: { host: '127.0.0.1', port: 0 },
    routes: [{ prefix: '/', door }],
    health: createHealth({
      server: 'test',
      version: '1',
      ready: async () => {},
      metrics,
      log: silentLog,
      now: () => 0,
    }),
    log: silentLog,
    metrics,
    ...(allowedOrigins && { allowedOrigins }),
  });
}
afterEach(() => listening.close());

async function ask(path: string, headers: Record<string, string>, method = 'GET') {
  const response = await fetch(listening.url + path, { method, headers });
  await response.arrayBuffer();
  const forPages = [...response.headers].filter(([name]) => name.startsWith('access-control-'));
  return { status: response.status, vary: response.headers.get('vary'), forPages: Object.fromEntries(forPages) };
}

describe('with origins listed', () => {
  beforeEach(() => start([PAGE, 'https://other.example.org']));

  it.each(['/ok', '/busy', '/throws'])(
    'a listed page may read what %s answers, which bytes of a file they are, and when to come again',
    async (path) => {
      expect(await ask(path, { origin: PAGE })).toMatchObject({
        vary: 'origin',
        forPages: {
          'access-control-allow-origin': PAGE,
          'access-control-expose-headers':
            'accept-ranges, content-length, content-range, retry-after, sealwire-signature',
        },
      });
    },
  );

  it('its preflight is answered without the door: methods and headers of the SDK, for two hours, no credentials', async () => {
    expect(await ask('/ok', { origin: PAGE, ...PREFLIGHT }, 'OPTIONS')).toEqual({
      status: 204,
      vary: 'origin',
      forPages: {
        'access-control-allow-origin': PAGE,
        'access-control-allow-methods': 'GET, POST, PUT, DELETE',
        'access-control-allow-headers': 'authorization, content-type, from, idempotency-key, range',
        'access-control-max-age': '7200',
      },
    });
    expect(seen).toEqual([]);
  });

  it.each([
    'https://evil.example',
    'https://app.example.org.evil.example',
    'http://app.example.org',
    'https://app.example.org:8443',
    'HTTPS://APP.EXAMPLE.ORG',
    'null',
    '*',
  ])('%s is another origin: its page reads nothing, asked or not', async (origin) => {
    expect(await ask('/ok', { origin })).toEqual({ status: 200, vary: 'origin', forPages: {} });
    expect(await ask('/ok', { origin, ...PREFLIGHT }, 'OPTIONS')).toMatchObject({ forPages: {} });
    expect(seen).toEqual(['GET /ok', 'OPTIONS /ok']);
  });

  it('an answer that no page asked for is not for a page either, in any cache', async () => {
    expect(await ask('/ok', {})).toEqual({ status: 200, vary: 'origin', forPages: {} });
  });

  it('OPTIONS that is no preflight goes to the door', async () => {
    await ask('/ok', { origin: PAGE }, 'OPTIONS');
    expect(seen).toEqual(['OPTIONS /ok']);
  });

  it('what is for the operator is for no page', async () => {
    for (const path of ['/metrics', '/version', '/readyz'])
      expect(await ask(path, { origin: PAGE })).toMatchObject({ status: 200, forPages: {} });
  });
});

describe('with none listed', () => {
  beforeEach(() => start());

  it('everything is as if there were no pages', async () => {
    expect(await ask('/ok', { origin: PAGE })).toEqual({ status: 200, vary: null, forPages: {} });
    await ask('/ok', { origin: PAGE, ...PREFLIGHT }, 'OPTIONS');
    expect(seen).toEqual(['GET /ok', 'OPTIONS /ok']);
  });
});
