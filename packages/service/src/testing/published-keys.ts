/** For tests of servers that ask the API for the keys of its tokens: somebody who publishes a set of them (RFC 7517), here on loopback. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from '@jest/globals';

/** Gone after the last test of the file. */
export async function publishedKeys(): Promise<{ readonly url: string }> {
  const server = createServer((_, response) => response.end('{"keys":[]}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json` };
}
