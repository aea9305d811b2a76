import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { publicOrigin } from '../boot/settings.ts';
import { createHealth } from '../observe/health.ts';
import { silentLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { listen } from './listen.ts';
import { basePathOf, originOf, withoutBasePath } from './public-origin.ts';

describe('the public origin', () => {
  it.each([
    ['https://chat.example.org', 'https://chat.example.org', ''],
    ['https://chat.example.org/', 'https://chat.example.org', ''],
    ['https://example.org/chat', 'https://example.org', '/chat'],
    ['https://example.org:8443/a/b-c.d/', 'https://example.org:8443', '/a/b-c.d'],
    ['http://localhost:8080/base', 'http://localhost:8080', '/base'],
    ['HTTP://LOCALHOST:8080', 'http://localhost:8080', ''],
    ['https://Chat.Example.org:443/', 'https://chat.example.org', ''],
    ['https://B\u00fccher.example', 'https://xn--bcher-kva.example', ''],
  ])('%s', (text, origin, path) => {
    const value = publicOrigin().parse(text);
    expect([originOf(value), basePathOf(value)]).toEqual([origin, path]);
  });

  it.each([
    'chat.example.org',
    'ftp://example.org',
    'http://example.org',
    'https://example.org/a?b',
    'https://example.org/a#b',
    'https://example.org//a',
    'https://example.org/a/../b',
    'https://example.org/%61',
    'https://user@example.org/a',
  ])('%s is none', (text) => {
    expect(z.safeParse(publicOrigin(), text).success).toBe(false);
  });
});

describe('a request target under a base path', () => {
  it.each([
    ['/chat/lime', '/lime'],
    ['/chat/lime?x=/chat', '/lime?x=/chat'],
    ['/chat', '/'],
    ['/chat/', '/'],
    ['/chat?x', '/?x'],
    ['/chatter/lime', undefined],
    ['/lime', undefined],
    ['/chat%2flime', undefined],
    ['http://evil.example/chat/lime', undefined],
  ])('%s', (target, rest) => {
    expect(withoutBasePath(target, '/chat')).toBe(rest);
  });

  it('is taken off before a door sees it; what is not under it is nowhere; health is at both', async () => {
    const metrics = createMetrics();
    const ready = async () => {};
    const health = createHealth({ server: 'test', version: '1', ready, metrics, log: silentLog, now: () => 0 });
    const listening = await listen({
      address: { host: '127.0.0.1', port: 0 },
      basePath: '/chat',
      routes: [
        {
          prefix: '/v1',
          door: { handle: (request, response) => response.end(`v1 ${request.url}`), ready, close: ready },
        },
      ],
      health,
      log: silentLog,
      metrics,
    });
    const get = async (path: string) => {
      const response = await fetch(listening.url + path);
      return [response.status, (await response.text()).trim()] as const;
    };
    expect(await get('/chat/v1/x?y')).toEqual([200, 'v1 /v1/x?y']);
    for (const path of ['/v1/x', '/chat/chat/v1', '/chat/v2', '/']) expect((await get(path))[0]).toBe(404);
    for (const path of ['/livez', '/chat/livez']) expect(await get(path)).toEqual([200, 'ok']);
    await listening.close();
  });
});
