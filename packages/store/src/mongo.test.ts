/** The contract on a real server: `MONGODB_URI` names it, a database of which the tests may empty. Without one they are skipped, aloud. */
import { describe, it, jest } from '@jest/globals';
import { createConnection } from 'mongoose';
import type { OpenStore } from './contract/fixture.ts';
import { storeContract } from './contract.ts';
import { openMongoStore } from './mongo.ts';

const url = process.env.MONGODB_URI;

if (url === undefined) {
  describe('store contract: mongo', () => {
    it.skip('needs MONGODB_URI: a MongoDB-compatible server and a database of its own', () => {});
  });
} else {
  const open: OpenStore = async () => {
    const { store, steps } = await openMongoStore({ url, production: false });
    return {
      store,
      steps,
      async close() {
        await store.close();
        const connection = await createConnection(url).asPromise();
        for (const collection of await connection.db!.collections()) await collection.deleteMany({});
        await connection.close();
      },
    };
  };
  // Each step is several round trips to a server that others use too.
  jest.setTimeout(60_000);
  storeContract('mongo', open, 20);
}
