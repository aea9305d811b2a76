/**
 * What a stranger says in headers that servers believe of a proxy does not come through ours: nginx with the configuration that operators get,
 * in front of a server that tells what it was sent.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '@sealwire/bus/testing/free-port';
import { selfSigned, writeSelfSigned } from '@sealwire/service/testing/self-signed';
import { hasNginx, startNginx } from './nginx.ts';

const CLAIMS = {
  'x-forwarded-for': '203.0.113.7',
  'x-request-id': '9f86d081884c7d659a2feaa0c55ad015',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'vendor=alice',
};

(hasNginx ? describe : describe.skip)('nginx with the configuration of infra/nginx (skipped without nginx)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-nginx-'));
  const tls = writeSelfSigned(selfSigned('nginx'));
  const seen: IncomingHttpHeaders[] = [];
  const behind = createServer(({ headers }, response) => {
    seen.push(headers);
    response.end();
  });
  let port: number;
  let stop: (() => Promise<unknown>) | undefined;

  beforeAll(async () => {
    behind.on('upgrade', ({ headers }, socket) => {
      seen.push(headers);
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    behind.listen(0, '127.0.0.1');
    await once(behind, 'listening');
    const node = `server 127.0.0.1:${(behind.address() as AddressInfo).port};`;
    port = await freePort();
    stop = await startNginx(folder, {
      ...{ API: node, DIRECTORY: node, RELAY: node, SERVER_NAME: '_', TLS: tls.folder },
      LISTEN: `127.0.0.1:${port}`,
      HEALTH: `127.0.0.1:${await freePort()}`,
    });
  });
  afterAll(async () => {
    await stop?.();
    behind.closeAllConnections();
    behind.close();
    for (const each of [folder, tls.folder]) rmSync(each, { recursive: true });
  });

  it.each([
    ['/v1/tokens', {}],
    ['/directory/manifests/x', {}],
    ['/lime', {}],
    ['/relay', { connection: 'upgrade', upgrade: 'websocket' }],
  ])('T207: passes on to %s neither an address, a number nor a trace that a stranger claims', async (path, more) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      headers: { ...CLAIMS, ...more, host: 'chat.example.org' },
    }).end();
    const [response] = await once(sent, 'response');
    response.resume();
    const headers = seen.pop()!;
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers.host).toBe('chat.example.org');
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(headers['x-request-id']).not.toBe(CLAIMS['x-request-id']);
    expect([headers.traceparent, headers.tracestate]).toEqual([undefined, undefined]);
  });
});
