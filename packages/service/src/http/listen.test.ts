import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../boot/config.ts';
import { createHealth } from '../observe/health.ts';
import { createLog, silentLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { HttpDoor, SocketDoor } from './http-door.ts';
import { type Listening, type ListenOptions, listen } from './listen.ts';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listening) => listening.close()));
});

function door(
  name: string,
  handle?: (request: IncomingMessage, response: ServerResponse) => void,
): HttpDoor & { closed: number } {
  return {
    closed: 0,
    handle: handle ?? ((_, response) => void response.end(name)),
    async ready() {},
    async close() {
      this.closed++;
    },
  };
}

async function start(options: Partial<ListenOptions> & { ready?: () => Promise<void>; now?: () => number }) {
  const metrics = createMetrics();
  const lines: string[] = [];
  const health = createHealth({
    server: 'test',
    version: '1.2.3',
    ready: options.ready ?? (async () => {}),
    metrics,
    log: createLog({ server: 'test', level: 'warn', now: () => 0, write: (line) => lines.push(line) }),
    now: options.now ?? (() => 0),
  });
  const listening = await listen({
    address: { host: '127.0.0.1', port: 0 },
    routes: [{ prefix: '/', door: door('all') }],
    log: silentLog,
    metrics,
    ...options,
    health: options.health ?? health,
  });
  open.push(listening);
  return { listening, metrics, lines };
}

const get = async (listening: Listening, path: string, init?: RequestInit) => {
  const response = await fetch(listening.url + path, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
};

/** What the server sends on a raw connection until it ends it. */
async function dialogue(listening: Listening, text: string, onOpen?: (socket: Socket) => void): Promise<string> {
  const socket = connect(listening.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  onOpen?.(socket);
  await once(socket, 'close');
  return answer;
}

describe('a route that is exactly its path', () => {
  it('takes that path and no other, before one that takes everything', async () => {
    const routes = [
      { prefix: '/', door: door('all') },
      { prefix: '/', exactly: true, door: door('root') },
    ];
    const { listening } = await start({ routes });
    for (const path of ['', '/', '/?a=1']) expect((await get(listening, path)).text).toBe('root');
    for (const path of ['/x', '//', '/x/']) expect((await get(listening, path)).text).toBe('all');
    expect((await get(listening, '/livez')).text).toBe('ok\n');
  });
});

describe('pipelining', () => {
  it('a door sees a few of many requests of a connection, and the others when these are answered', async () => {
    const waiting: ServerResponse[] = [];
    const { listening } = await start({
      routes: [{ prefix: '/', door: door('', (_, response) => void waiting.push(response)) }],
    });
    const answer = dialogue(listening, `${'GET / HTTP/1.1\r\nhost:a\r\n\r\n'.repeat(999)}GET / HTTP/1.0\r\n\r\n`);
    for (let answered = 0; answered < 1_000; answered++) {
      while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(waiting.length).toBeLessThanOrEqual(40);
      waiting.shift()?.end();
    }
    expect((await answer).split('HTTP/1.1 200').length).toBe(1_001);
  });

  it('a door gets all that came behind an upgrade', async () => {
    let length = 0;
    const socketDoor: SocketDoor = {
      ...door('socket'),
      async drain() {},
      upgrade(_request, socket, head) {
        length += head.length;
        const look = () => length === 50_000 && socket.end();
        socket.on('data', (data: Buffer) => {
          length += data.length;
          look();
        });
        look();
      },
    };
    const { listening } = await start({ routes: [{ prefix: '/', door: socketDoor }] });
    await dialogue(
      listening,
      `GET / HTTP/1.1\r\nhost:a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n${'x'.repeat(50_000)}`,
    );
    expect(length).toBe(50_000);
  });
});

describe('routing', () => {
  it('goes by the longest prefix, on whole segments', async () => {
    const routes = [
      { prefix: '/', door: door('rest') },
      { prefix: '/v1', door: door('api') },
      { prefix: '/v1/x', door: door('x') },
    ];
    const { listening } = await start({ routes });
    expect((await get(listening, '/v1/devices?a=/v1/x')).text).toBe('api');
    expect((await get(listening, '/v1')).text).toBe('api');
    expect((await get(listening, '/v1/x/y')).text).toBe('x');
    expect((await get(listening, '/v12')).text).toBe('rest');
  });

  it('answers 404 as a problem where no door is', async () => {
    const { listening } = await start({ routes: [{ prefix: '/v1', door: door('api') }] });
    const answer = await get(listening, '/other');
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.parse(answer.text).code).toBe('not-found');
  });

  it('hands upgrades to socket doors and refuses them elsewhere', async () => {
    const relay: SocketDoor = {
      ...door('relay'),
      upgrade: (_, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
      async drain() {},
    };
    const routes = [
      { prefix: '/relay', door: relay },
      { prefix: '/', door: door('rest') },
    ];
    const { listening } = await start({ routes });
    const upgrade = (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    expect(await dialogue(listening, upgrade('/relay'))).toMatch(/^HTTP\/1.1 101/);
    expect(await dialogue(listening, upgrade('/v1'))).toMatch(/^HTTP\/1.1 404/);
  });

  it('H16: a handler that throws fails its request; the process and the next request live', async () => {
    const routes = [
      {
        prefix: '/',
        door: door('all', (request, response) => {
          if (request.url === '/bad') throw new Error('oops');
          response.end('good');
        }),
      },
    ];
    const { listening, metrics } = await start({ routes });
    expect((await get(listening, '/bad')).status).toBe(500);
    expect((await get(listening, '/ok')).text).toBe('good');
    expect(await metrics.text()).toContain('sealwire_unhandled_errors_total{where="http"} 1');
  });
});

describe('H04: slow and greedy peers', () => {
  const limits = { headersMs: 150, requestMs: 300, checkEveryMs: 50 } as unknown as ListenOptions['limits'] & {};

  it('cuts off headers that never end, on the upgrade path too', async () => {
    const { listening } = await start({ limits });
    expect(await dialogue(listening, 'GET / HTTP/1.1\r\nHost: x\r\n')).toMatch(/^HTTP\/1.1 408/);
    expect(
      await dialogue(listening, 'GET /relay HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'),
    ).toMatch(/^HTTP\/1.1 408/);
  });

  it('cuts off a body that never ends', async () => {
    const slow = door('slow', (request, response) => request.resume().on('end', () => response.end('read')));
    const { listening } = await start({ limits, routes: [{ prefix: '/', door: slow }] });
    expect(await dialogue(listening, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc')).toMatch(
      /^HTTP\/1.1 408/,
    );
  });

  it('gives a route the time that it has for itself: an upload goes on where another request is cut off', async () => {
    const reading = door('reading', (request, response) => request.resume().on('end', () => response.end('read')));
    const routes = [
      { prefix: '/', door: reading },
      { prefix: '/uploads', door: reading, requestMs: 60_000 },
    ];
    const { listening } = await start({ limits, routes });
    const post = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc`;
    let upload: Socket | undefined;
    const uploaded = dialogue(listening, post('/uploads/1'), (socket) => {
      upload = socket;
    });
    expect(await dialogue(listening, post('/upload'))).toMatch(/^HTTP\/1.1 408/);
    upload?.end('defghij');
    expect(await uploaded).toMatch(/^HTTP\/1.1 200.*read/s);
  });

  it('cuts off a body that never ends where nobody reads it, and where it was answered before its end', async () => {
    const early = door('early', (_, response) => void response.end('no'));
    const { listening } = await start({ limits, routes: [{ prefix: '/v1', door: early }] });
    const post = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`;
    expect(await dialogue(listening, post('/v1'))).toMatch(/^HTTP\/1.1 200.*no$/s);
    expect(await dialogue(listening, post('/nowhere'))).toMatch(/^HTTP\/1.1 404/);
    expect(await dialogue(listening, post('/livez'))).toMatch(/^HTTP\/1.1 405/);
  });

  it('refuses oversized headers and malformed requests', async () => {
    const { listening } = await start({});
    expect(await dialogue(listening, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431/,
    );
    expect(await dialogue(listening, 'GARBAGE\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
    const smuggled = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await dialogue(listening, smuggled)).toMatch(/^HTTP\/1.1 400/);
  });
});

describe('health', () => {
  it('answers livez, readyz, metrics and version before any door', async () => {
    const { listening } = await start({});
    expect((await get(listening, '/livez')).status).toBe(200);
    expect((await get(listening, '/readyz')).status).toBe(200);
    expect((await get(listening, '/metrics')).text).toContain('# TYPE sealwire_relay_connections gauge');
    expect(JSON.parse((await get(listening, '/version')).text)).toEqual({ server: 'test', version: '1.2.3' });
    const post = await get(listening, '/livez', { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await get(listening, '/constructor')).text).toBe('all');
  });

  it('K11: not ready when the probe fails, alive all the same; one probe a second however many ask', async () => {
    let probes = 0;
    let broken = true;
    let time = 0;
    const ready = async () => {
      probes++;
      if (broken) throw new Error('store gone');
    };
    const { listening } = await start({ ready, now: () => time });
    expect((await get(listening, '/readyz')).status).toBe(503);
    expect((await get(listening, '/livez')).status).toBe(200);
    broken = false;
    expect((await get(listening, '/readyz')).status).toBe(503);
    expect(probes).toBe(1);
    time = 1_000;
    expect((await get(listening, '/readyz')).status).toBe(200);
  });
});

describe('an address of the metrics', () => {
  const metricsAddress = { host: '127.0.0.1', port: 0 };

  it('has all four pages and nothing else; the other one has no metrics any more', async () => {
    const { listening } = await start({ metricsAddress });
    const own = listening.metricsUrl as string;
    expect(own).not.toBe(listening.url);
    for (const path of ['/livez', '/readyz', '/version', '/metrics'])
      expect([path, (await fetch(own + path)).status]).toEqual([path, 200]);
    for (const path of ['/', '/v1/devices']) expect((await fetch(own + path)).status).toBe(404);
    for (const path of ['/livez', '/readyz', '/version'])
      expect([path, (await get(listening, path)).status]).toEqual([path, 200]);
    // The door's, if it has such a page.
    expect((await get(listening, '/metrics')).text).toBe('all');
  });

  it('says that the server drains until it is gone', async () => {
    let drained = () => {};
    const drain = () =>
      new Promise<void>((resolve) => {
        drained = resolve;
      });
    const socketDoor = { ...door('all'), upgrade: () => {}, drain };
    const { listening } = await start({ metricsAddress, routes: [{ prefix: '/', door: socketDoor }] });
    const closed = listening.close();
    expect(await (await fetch(`${listening.metricsUrl}/readyz`)).text()).toBe('draining\n');
    drained();
    await closed;
    await expect(fetch(`${listening.metricsUrl}/readyz`)).rejects.toThrow();
  });

  it('that is in use is one line, and nothing is left listening', async () => {
    const { listening } = await start({});
    const taken = { host: '127.0.0.1', port: listening.port };
    await expect(start({ metricsAddress: taken })).rejects.toThrow(
      new RegExp(`^METRICS_LISTEN: 127.0.0.1:${taken.port} is in use .*--metrics-listen`),
    );
    const { listening: other } = await start({});
    await other.close();
    const both = { address: taken, metricsAddress: { host: '127.0.0.1', port: other.port } };
    await expect(start(both)).rejects.toThrow(/^LISTEN: /);
    await expect(fetch(`http://127.0.0.1:${both.metricsAddress.port}/livez`)).rejects.toThrow();
  });
});

describe('readiness that is gone', () => {
  it('says a reason that is meant for people, and no other; and is a line of the log when it goes, not each time', async () => {
    let time = 0;
    let error: Error | undefined = Object.assign(new Error('secret'), { reason: 'no space left' });
    const ready = async () => {
      if (error) throw error;
    };
    const { listening, lines } = await start({ ready, now: () => time });
    const next = async () => {
      time += 1_000;
      return (await get(listening, '/readyz')).text;
    };
    expect([await next(), await next()]).toEqual(['not ready: no space left\n', 'not ready: no space left\n']);
    error = new Error('secret');
    expect(await next()).toBe('not ready\n');
    error = undefined;
    expect(await next()).toBe('ready\n');
    error = new Error('secret');
    expect(await next()).toBe('not ready\n');
    expect(lines.filter((line) => line.includes('"not-ready"'))).toHaveLength(3);
  });
});

describe('start and end', () => {
  it('K14: a port in use is one line with the fix', async () => {
    const { listening } = await start({});
    const failed = start({ address: { host: '127.0.0.1', port: listening.port } });
    await expect(failed).rejects.toThrow(ConfigError);
    await expect(failed).rejects.toThrow(`choose another port with --listen 127.0.0.1:${listening.port + 1}`);
  });

  it('an address that this machine does not have, too', async () => {
    await expect(start({ address: { host: '192.0.2.1', port: 0 } })).rejects.toThrow(
      /^LISTEN: this machine has no address 192.0.2.1 — /,
    );
  });

  it('lets a request under way finish, drains sockets first, closes each door once', async () => {
    const order: string[] = [];
    let entered = () => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    let finish = () => {};
    const slow = door('slow', (_, response) => {
      finish = () => void response.end('finished');
      entered();
    });
    const relay: SocketDoor = {
      ...door('relay'),
      upgrade() {},
      async drain() {
        order.push('drain');
        finish();
      },
      async close() {
        order.push('close');
      },
    };
    const routes = [
      { prefix: '/', door: slow },
      { prefix: '/relay', door: relay },
      { prefix: '/relay2', door: relay },
    ];
    const { listening } = await start({ routes });
    const answer = get(listening, '/slow');
    await inside;
    await Promise.all([listening.close(), listening.close()]);
    expect((await answer).text).toBe('finished');
    expect(order).toEqual(['drain', 'close']);
    expect(slow.closed).toBe(1);
    await expect(once(httpRequest(listening.url).end(), 'response')).rejects.toThrow('ECONNREFUSED');
  });
});
