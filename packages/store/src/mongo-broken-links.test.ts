/** Connections that break in the middle of a write, by a link of the test's own: what was not stored is not accepted. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { ALICE, deviceId, mail, nameAnew, people, ROOMY, readAll } from './contract/fixture.ts';
import { openMongoStore } from './mongo.ts';
import type { Store } from './port.ts';
import { emptyDatabase, testDatabase } from './testing/mongo-database.ts';

const url = testDatabase('broken-links');

(url === undefined ? describe.skip : describe)('a connection that breaks (skipped without MONGODB_URI)', () => {
  jest.setTimeout(60_000);
  let link: Server;
  let sockets: Set<Socket>;
  /** Looked for in what the store asks: there the connection breaks, once. */
  let breaksAt: { readonly text: string; readonly when: 'before' | 'after' } | undefined;
  let store: Store;
  let phone: DeviceId;

  beforeEach(async () => {
    sockets = new Set();
    breaksAt = undefined;
    const { hostname, port } = new URL(url!);
    link = createServer((near) => {
      const far = connect(Number(port), hostname);
      for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
      far.on('data', (data) => near.write(data));
      near.on('data', (data) => {
        const found = breaksAt !== undefined && data.includes(breaksAt.text, 0, 'latin1') ? breaksAt.when : undefined;
        if (found === undefined) {
          far.write(data);
          return;
        }
        breaksAt = undefined;
        near.destroy();
        // The server gets it, and its answer is lost.
        if (found === 'after') far.removeAllListeners('data').end(data);
      });
    });
    link.listen(0, '127.0.0.1');
    await once(link, 'listening');
    const own = new URL(url!);
    own.hostname = '127.0.0.1';
    own.port = String((link.address() as AddressInfo).port);
    // The server names its own port as the replica set's only member, and that is not the link's.
    own.searchParams.set('directConnection', 'true');
    ({ store } = await openMongoStore({ url: own.href, production: false }));
    nameAnew();
    phone = deviceId(ALICE, 1);
    await people(store, ALICE, 1);
  });

  afterEach(async () => {
    await store.close();
    for (const socket of sockets) socket.destroy();
    link.close();
    await emptyDatabase(url!);
  });

  it.each([
    ['accepted', 'before'],
    ['accepted', 'after'],
    ['mails', 'before'],
    ['mails', 'after'],
  ] as const)(
    'under the insertion into %s, %s the server has it: what is accepted is there, once',
    async (collection, when) => {
      breaksAt = { text: `\x02insert\0${String.fromCharCode(collection.length + 1)}\0\0\0${collection}\0`, when };
      const results = await store.mailboxes.append([mail(1, deviceId(ALICE, 2), [phone])], ROOMY);
      expect(breaksAt).toBeUndefined();
      expect(results.map(({ status }) => status)).toEqual(['accepted']);
      expect((await readAll(store, phone)).mails.map(({ bytes }) => bytes[0])).toHaveLength(1);
    },
  );
});
