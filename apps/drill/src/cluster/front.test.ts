/** nginx as operators get it, in front of relays that are not there and come back. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Front } from './front.ts';
import { freePorts } from './ports.ts';

const hasNginx = spawnSync('nginx', ['-v']).status === 0;
const SOCKETS = 8;

let folder: string;
let endings: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-front-'));
  endings = [];
});

afterEach(async () => {
  for (const end of endings.reverse()) await end();
  rmSync(folder, { recursive: true });
});

(hasNginx ? describe : describe.skip)('nginx, when all relays were gone for a moment (skipped without nginx)', () => {
  it('lets everybody in who comes back, not one in ten seconds', async () => {
    const [port, api, directory, first, second] = (await freePorts(5)) as [number, number, number, number, number];
    const front = new Front();
    await front.start({ folder, port, api: [api], directory: [directory], relay: [first, second] });
    endings.push(() => front.stop());
    await listens(port);
    // Two for each relay: it is remembered of both that they refuse.
    expect(await Promise.all([1, 2, 3, 4].map(() => upgrade(port)))).toEqual([502, 502, 502, 502]);
    for (const relay of [first, second]) endings.push(closing(await takesSockets(relay)));
    expect(await Promise.all(Array.from({ length: SOCKETS }, () => upgrade(port)))).toEqual(Array(SOCKETS).fill(101));
  });
});

(hasNginx ? describe : describe.skip)('nginx, when it is told of other relays (skipped without nginx)', () => {
  it('sends new sockets there, and leaves those that are open where they are', async () => {
    const [port, api, directory, first, second] = (await freePorts(5)) as [number, number, number, number, number];
    const front = new Front();
    const routes = { api: [api], directory: [directory] };
    await front.start({ folder, port, ...routes, relay: [first] });
    endings.push(() => front.stop());
    await listens(port);
    const sockets = { old: 0, next: 0 };
    const [old, next] = [await takesSockets(first), await takesSockets(second)];
    old.on('upgrade', () => (sockets.old += 1));
    next.on('upgrade', () => (sockets.next += 1));
    endings.push(closing(old), closing(next));
    expect(await upgrade(port)).toBe(101);
    front.route({ ...routes, relay: [second] });
    // nginx says to nobody when it has read it: for a moment the old worker takes sockets beside the new one.
    for (let inRow = 0; inRow < SOCKETS; ) {
      const { old } = sockets;
      expect(await upgrade(port)).toBe(101);
      inRow = sockets.old === old ? inRow + 1 : 0;
    }
    const before = { ...sockets };
    expect(await Promise.all(Array.from({ length: SOCKETS }, () => upgrade(port)))).toEqual(Array(SOCKETS).fill(101));
    expect(sockets).toEqual({ old: before.old, next: before.next + SOCKETS });
    // The old worker has them still.
    const open = await new Promise((resolve) => old.getConnections((_, count) => resolve(count)));
    expect(open).toBe(before.old);
  });
});

async function takesSockets(port: number): Promise<Server> {
  const server = createServer();
  server.on('upgrade', (_request, socket) => {
    socket
      .on('error', () => {})
      .on('end', () => socket.end())
      .resume();
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function closing(server: Server): () => Promise<unknown> {
  return () => new Promise((resolve) => server.close(resolve));
}

/** The status; a socket that was opened stays open until the test ends. */
function upgrade(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { upgrade: 'websocket', connection: 'Upgrade' };
    request({ host: '127.0.0.1', port, path: '/relay', headers, agent: false })
      .on('upgrade', ({ statusCode }, socket: Socket) => {
        endings.push(() => socket.destroy());
        resolve(statusCode!);
      })
      .on('response', (response) => {
        response.resume();
        resolve(response.statusCode!);
      })
      .on('error', reject)
      .end();
  });
}

/** Resolves when something listens there: nginx does not tell when it is ready. */
async function listens(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const outcome = await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => [true]);
    socket.destroy();
    if (outcome.length === 0) return;
  }
}
