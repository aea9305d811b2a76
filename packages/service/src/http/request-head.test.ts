import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { listenOnLoopback } from '../testing/loopback.ts';
import type { SocketDoor } from './http-door.ts';
import type { Listening } from './listen.ts';

/** Answers every request that comes through with its body, every upgrade with 101. */
const door: SocketDoor = {
  handle(request, response) {
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => response.end(`body:${body}`));
  },
  upgrade: (_, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  async ready() {},
  async close() {},
  async drain() {},
};

let listening: Listening;
beforeEach(async () => {
  const metrics = createMetrics();
  listening = await listenOnLoopback({ server: 'test', door, log: silentLog, metrics, now: () => 0 });
});
afterEach(() => listening.close());

/** What the server sends until it ends the connection. */
async function dialogue(...lines: string[]): Promise<string> {
  const socket = connect(listening.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(lines.join('\r\n'));
  await once(socket, 'close');
  return answer;
}

const post = (...headers: string[]) =>
  dialogue('POST /a HTTP/1.1', 'Host: x', ...headers, 'Connection: close', '', '0\r\n\r\n');
const get = (...headers: string[]) => dialogue('GET /a HTTP/1.1', ...headers, 'Connection: close', '', '');
const upgrade = (...headers: string[]) =>
  dialogue('GET /a HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', ...headers, '', '');

const CHUNKED = 'Transfer-Encoding: chunked';

describe('H11: a request that can be read in two ways is refused, and its connection ended', () => {
  it.each([
    ['two hosts', () => get('Host: x', 'Host: y')],
    ['the same host twice', () => get('Host: x', 'host: x')],
    ['no host', () => get('A: b')],
    ['a host that is none', () => get('Host: a/b')],
    ['two hosts in one header', () => get('Host: x, y')],
    ['two credentials', () => get('Host: x', 'Authorization: Bearer a', 'Authorization: Bearer b')],
    ['two identities', () => get('Host: x', 'X-Lime-user-identity: a', 'x-lime-user-identity: a')],
    ['two senders', () => get('Host: x', 'From: a', 'From: b')],
    ['two origins', () => get('Host: x', 'Origin: a', 'Origin: b')],
    ['two content types', () => post(CHUNKED, 'Content-Type: a/b', 'Content-Type: c/d')],
    ['two lengths', () => post('Content-Length: 0', 'Content-Length: 5')],
    ['the same length twice', () => post('Content-Length: 5', 'Content-Length: 5')],
    ['a length and a coding', () => post('Content-Length: 5', CHUNKED)],
    ['another coding below', () => post('Transfer-Encoding: gzip, chunked')],
    ['chunked twice', () => post('Transfer-Encoding: chunked, chunked')],
    ['two codings', () => post(CHUNKED, CHUNKED)],
    ['identity', () => post('Transfer-Encoding: identity')],
    ['a coding with a parameter', () => post('Transfer-Encoding: chunked;a=b')],
    ['a coding that a parser may overlook', () => post('Transfer-Encoding: \x0bchunked')],
    ['a line that ends in a bare line feed', () => get('Host: x\nA: b')],
    ['a space before the colon', () => post('Host : y', CHUNKED)],
    ['a folded header', () => get('Host: x', 'A: b', ' c')],
    ['a header without a name', () => get('Host: x', ': b')],
    ['a length with a sign', () => post('Content-Length: +5')],
    ['two lengths in one header', () => post('Content-Length: 5, 5')],
    ['a chunk of a signed size', () => dialogue('POST /a HTTP/1.1', 'Host: x', CHUNKED, '', '+1', 'a', '0\r\n\r\n')],
    [
      'a chunk that is longer than it says',
      () => dialogue('POST /a HTTP/1.1', 'Host: x', CHUNKED, '', '1', 'ab', '0\r\n\r\n'),
    ],
    ['a coding in HTTP/1.0', () => dialogue('POST /a HTTP/1.0', 'Host: x', CHUNKED, '', '0\r\n\r\n')],
    ['an upgrade of two origins', () => upgrade('Origin: a', 'Origin: b')],
    ['an upgrade with two keys', () => upgrade('Sec-WebSocket-Key: a', 'Sec-WebSocket-Key: b')],
    ['an upgrade with a body', () => upgrade('Content-Length: 5')],
    ['an upgrade with a coded body', () => upgrade(CHUNKED)],
  ])('%s: 400', async (_, ask) => {
    const answer = await ask();
    expect(answer.slice(0, 12)).toBe('HTTP/1.1 400');
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    // One answer: what follows on the connection is not taken for a request.
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it('more headers than Node looks at: 400, or 431 where its own parser counts them', async () => {
    const answer = await get('Host: x', ...Array.from({ length: 70 }, (_, i) => `A${i}: b`));
    expect(answer).toMatch(/^HTTP\/1.1 (?:400|431) /);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it('a body under a content coding: 415', async () => {
    expect(await post(CHUNKED, 'Content-Encoding: gzip')).toMatch(/^HTTP\/1.1 415/);
  });

  it.each([
    ['a chunked body', () => post(CHUNKED)],
    ['a coding in capitals', () => post('Transfer-Encoding: Chunked')],
    ['a body of no coding', () => post(CHUNKED, 'Content-Encoding: identity')],
    ['what the client would take itself', () => get('Host: x', 'TE: trailers, deflate;q=0.5')],
    ['a proxy’s own line of X-Forwarded-For', () => get('Host: x', 'X-Forwarded-For: a', 'X-Forwarded-For: b')],
    ['a port', () => get('Host: chat.example.org:8443')],
    ['an address of IPv6', () => get('Host: [2001:db8::1]:8080')],
    ['HTTP/1.0 without a host', () => dialogue('GET /a HTTP/1.0', '', '')],
  ])('%s: taken', async (_, ask) => {
    expect(await ask()).toMatch(/^HTTP\/1.1 200.*body:/s);
  });

  it('an upgrade of a browser: taken', async () => {
    expect(await upgrade('Origin: https://chat.example.org', 'Content-Length: 0')).toMatch(/^HTTP\/1.1 101/);
  });
});
