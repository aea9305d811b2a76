/** What an operator reads whose URL or server will not do: one line with the fix, and never the password, nor a part of it. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openBus } from './open.ts';
import { parseRedisUrl } from './redis-url.ts';

async function refusal(url: string): Promise<string> {
  const error = await openBus(url).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'BusError' });
  expect((error as Error).message).not.toMatch(/\n|secret|rest/);
  return (error as Error).message;
}

describe('the URL of a Redis bus', () => {
  it('K14: a password of odd characters, written as %XX, arrives as it is', () => {
    const odd = 'p@s/s:%?#,ü';
    expect(parseRedisUrl(`redis://user:${encodeURIComponent(odd)}@h:1`).credentials).toEqual({
      username: 'user',
      password: odd,
    });
    expect(parseRedisUrl(`redis+cluster://:${encodeURIComponent(odd)}@h:1,i:2`).credentials).toEqual({ password: odd });
  });

  it.each([
    'redis://:secret@rest@127.0.0.1',
    'redis://:secret/rest@127.0.0.1',
    'redis://user:secret:rest@127.0.0.1',
    'redis+sentinel://:secret@rest@127.0.0.1/main',
  ])('K14: %s is refused: neither cut off nor looked up as a host', async (url) => {
    expect(await refusal(url)).toContain('written as %XX');
  });
});

describe('a Redis server', () => {
  let server: Server | undefined;
  const sockets = new Set<Socket>();

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
    server = undefined;
  });

  /** Answers every command so. */
  async function answering(line: string): Promise<string> {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (commands) => {
        for (const _ of commands.toString().matchAll(/^\*\d+\r$/gm)) socket.write(`${line}\r\n`);
      });
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  it.each([
    ['', '-NOAUTH Authentication required.'],
    [':secret@', '-WRONGPASS invalid username-password pair or user is disabled.'],
  ])('K14: reached with %j, and that answers %j, says what to write', async (credentials, line) => {
    expect(await refusal(`redis://${credentials}${await answering(line)}`)).toContain('redis://:PASSWORD@HOST');
  });

  it('K14: that is not there is told as such', async () => {
    expect(await refusal('redis://:secret@127.0.0.1:1')).toContain('ECONNREFUSED');
  });
});
