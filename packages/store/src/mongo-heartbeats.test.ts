/** A heartbeat that the driver loses. Needs a MongoDB-compatible server: MONGODB_URI. */
import { once } from 'node:events';
import { afterEach, expect, it } from '@jest/globals';
import { mongo } from 'mongoose';
import { watchHeartbeats } from './mongo/heartbeats.ts';

const url = process.env.MONGODB_URI;
const WITHIN_MS = 1_000;

let client: mongo.MongoClient;
let stop: () => void;

afterEach(async () => {
  stop();
  await client.close();
});

/** The driver's own parts: nothing public breaks the socket of a heartbeat at this moment. */
interface Inner {
  readonly topology: {
    readonly s: { readonly servers: ReadonlyMap<string, { monitor: { connection: { socket: { destroy(): void } } } }> };
  };
}

(url ? it : it.skip)(
  'a heartbeat on a socket that breaks under it is given up, and the next ones find the server (skipped without MONGODB_URI)',
  async () => {
    client = new mongo.MongoClient(url!, { directConnection: true, heartbeatFrequencyMS: 500, connectTimeoutMS: 500 });
    stop = watchHeartbeats(client, WITHIN_MS);
    await client.connect();
    client.once('serverHeartbeatStarted', () => {
      const [server] = (client as unknown as Inner).topology.s.servers.values();
      server!.monitor.connection.socket.destroy();
    });
    await once(client, 'serverHeartbeatStarted');
    await once(client, 'serverHeartbeatSucceeded');
    expect(await client.db('heartbeats').command({ ping: 1 })).toMatchObject({ ok: 1 });
  },
  10_000,
);
