import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { selfSigned } from '../testing/self-signed.ts';
import { leaveRequests, paceRequests } from './request-flow.ts';

const SHORTEST = 'GET / HTTP/1.1\r\nhost:a\r\n\r\n';
/** Requests of that size that may begin together. */
const TOGETHER = 40;

const open: { server: Server; client: Socket }[] = [];
afterEach(async () => {
  for (const { server, client } of open.splice(0)) {
    client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function start(answer: RequestListener): Promise<{ server: Server; client: Socket; said: () => string }> {
  const server = createServer();
  paceRequests(server);
  server.on('request', answer);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  open.push({ server, client });
  let text = '';
  client.setEncoding('latin1').on('data', (more: string) => {
    text += more;
  });
  await once(client, 'connect');
  return { server, client, said: () => text };
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
}

const answersIn = (text: string) => text.split('HTTP/1.1 ').length - 1;

describe('paceRequests', () => {
  it('requests that came in one read are served in their order, a few a turn', async () => {
    let [turn, served, most] = [0, 0, 0];
    let inTurn = { turn: -1, count: 0 };
    let ticking = true;
    const tick = () => {
      turn++;
      if (ticking) setImmediate(tick);
    };
    tick();
    const { client, said } = await start((request, response) => {
      if (inTurn.turn !== turn) inTurn = { turn, count: 0 };
      most = Math.max(most, ++inTurn.count);
      response.end(`${request.headers.n} ${++served};`);
    });
    client.write(Array.from({ length: 2_000 }, (_, i) => `GET / HTTP/1.1\r\nhost:a\r\nn:${i + 1}\r\n\r\n`).join(''));
    await until(() => said().includes('2000 2000;'));
    ticking = false;
    expect(answersIn(said())).toBe(2_000);
    expect(most).toBeLessThanOrEqual(TOGETHER);
  });

  it('what is behind a request waits for its answer, and the socket is not read meanwhile', async () => {
    const waiting: ServerResponse[] = [];
    const { server, client, said } = await start((_request, response) => void waiting.push(response));
    const connections: Socket[] = [];
    server.on('connection', (socket) => connections.push(socket));
    client.write(SHORTEST.repeat(2_000));
    await until(() => waiting.length > 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(waiting.length).toBeLessThanOrEqual(TOGETHER);
    for (let answered = 0; answered < 2_000; answered++) {
      await until(() => waiting.length > 0);
      expect(waiting.length).toBeLessThanOrEqual(TOGETHER);
      waiting.shift()?.end();
    }
    await until(() => answersIn(said()) === 2_000);
  });

  it.each([
    ['of a given length', `content-length: 300000\r\n\r\n${'x'.repeat(300_000)}`],
    ['in chunks of a byte', `transfer-encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(30_000)}0\r\n\r\n`],
  ])('a body %s comes whole before its answer, and so does what follows it', async (_, body) => {
    const lengths: number[] = [];
    const { client, said } = await start(async (request, response) => {
      let length = 0;
      for await (const bytes of request) length += bytes.length;
      lengths.push(length);
      response.end();
    });
    client.write(`POST / HTTP/1.1\r\nhost:a\r\n${body}`.repeat(2) + SHORTEST);
    await until(() => answersIn(said()) === 3);
    const length = body.includes('chunked') ? 30_000 : 300_000;
    // The last one may be answered while the reader of a body hears of its end.
    expect(lengths.sort((a, b) => b - a)).toEqual([length, length, 0]);
  });

  it('an answer before the end of the body does not stop what follows', async () => {
    const { client, said } = await start((request, response) => {
      request.resume();
      response.end();
    });
    client.write(`POST / HTTP/1.1\r\nhost:a\r\ncontent-length: 100000\r\n\r\n${'x'.repeat(100_000)}${SHORTEST}`);
    await until(() => answersIn(said()) === 2);
  });

  it('a body that nobody reads is not read from the socket, either', async () => {
    let length = () => 0;
    const { client } = await start((request) => {
      length = () => request.readableLength;
    });
    client.write(`POST / HTTP/1.1\r\nhost:a\r\ncontent-length: 50000000\r\n\r\n`);
    const body = Buffer.alloc(5_000_000);
    client.write(body);
    await until(() => length() > 0);
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(length()).toBeLessThan(200_000);
  });

  it('an upgrade takes all that came behind it, in order', async () => {
    const { server, client } = await start(() => {});
    const upgraded = new Promise<string>((resolve) => {
      server.on('upgrade', (_request, socket: Duplex, head: Buffer) => {
        let text = leaveRequests(socket as Socket, head).toString();
        socket.on('data', (bytes: Buffer) => {
          text += bytes;
          if (text.endsWith('!')) resolve(text);
        });
        client.once('close', () => socket.destroy());
      });
    });
    const behind = 'b'.repeat(40_000);
    client.write(`GET / HTTP/1.1\r\nhost:a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n${behind}`);
    client.write('!');
    expect(await upgraded).toBe(`${behind}!`);
  });

  it('over TLS, too', async () => {
    const { key, certificate: cert } = selfSigned('doors');
    let most = 0;
    const waiting: ServerResponse[] = [];
    const server = createTlsServer({ key, cert }, (_request, response) => {
      most = Math.max(most, waiting.push(response));
      setImmediate(() => waiting.shift()?.end());
    });
    paceRequests(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = connectTls({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    open.push({ server, client });
    let text = '';
    client.on('data', (bytes) => {
      text += bytes;
    });
    client.write(SHORTEST.repeat(600));
    await until(() => answersIn(text) === 600);
    expect(most).toBeLessThanOrEqual(TOGETHER);
  });
});
