/** A link to an echo: what a cut and a silence do to it. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Link } from './link.ts';

let echo: Server;
let link: Link;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  echo = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  link = await Link.to((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await link.close();
  echo.close();
});

async function open(): Promise<Socket> {
  const socket = connect(link.port, '127.0.0.1').on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

async function says(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = await once(socket, 'data');
  return String(answer);
}

describe('a link', () => {
  it('carries both ways', async () => {
    expect(await says(await open(), 'one')).toBe('one');
  });

  it('that is cut breaks what is open and takes nothing new, until it is mended', async () => {
    const socket = await open();
    await says(socket, 'one');
    link.cut();
    await once(socket, 'close');
    await once(await open(), 'close');
    link.mend();
    expect(await says(await open(), 'two')).toBe('two');
  });

  it('that is silent keeps everything open and carries nothing, then all of it', async () => {
    const before = await open();
    await says(before, 'one');
    link.silence();
    const later = await open();
    const answers: string[] = [];
    for (const socket of [before, later]) socket.on('data', (data) => answers.push(String(data)));
    before.write('two');
    later.write('three');
    // What another link would have carried by now.
    const other = await Link.to((echo.address() as AddressInfo).port);
    const beside = connect(other.port, '127.0.0.1');
    expect(await says(beside, 'beside')).toBe('beside');
    beside.destroy();
    await other.close();
    expect(answers).toEqual([]);
    const all = Promise.all([once(before, 'data'), once(later, 'data')]);
    link.mend();
    await all;
    expect(answers.toSorted()).toEqual(['three', 'two']);
  });

  it('that is long delivers late, whole and in order, and its ends close after that', async () => {
    const long = await Link.to((echo.address() as AddressInfo).port, 30);
    const socket = connect(long.port, '127.0.0.1');
    let heard = '';
    socket.on('data', (data) => {
      heard += String(data);
    });
    const began = performance.now();
    for (const text of ['one ', 'two ', 'three']) socket.write(text);
    socket.end();
    await once(socket, 'close');
    expect(heard).toBe('one two three');
    // There and back; timers may be a millisecond early.
    expect(performance.now() - began).toBeGreaterThanOrEqual(58);
    await long.close();
  });

  it('that is led elsewhere takes new connections there, and keeps the open ones until they are broken', async () => {
    const other = createServer((socket) => socket.on('error', () => {}).end('elsewhere')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const before = await open();
    await says(before, 'one');
    link.lead((other.address() as AddressInfo).port);
    expect(await says(before, 'two')).toBe('two');
    const [answer] = await once(await open(), 'data');
    expect(String(answer)).toBe('elsewhere');
    link.break((other.address() as AddressInfo).port);
    expect(await says(before, 'three')).toBe('three');
    link.break((echo.address() as AddressInfo).port);
    await once(before, 'close');
    other.close();
  });
});
