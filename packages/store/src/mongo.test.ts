/** The contract on a real server: `MONGODB_URI` names it. Without one they are skipped, aloud. */
import { describe, it, jest } from '@jest/globals';
import type { OpenStore } from './contract/fixture.ts';
import { storeContract } from './contract.ts';
import { openMongoStore } from './mongo.ts';
import { emptyDatabase, testDatabase } from './testing/mongo-database.ts';

const url = testDatabase('contract');

if (url === undefined) {
  describe('store contract: mongo', () => {
    it.skip('needs MONGODB_URI: a MongoDB-compatible server for tests', () => {});
  });
} else {
  const open: OpenStore = async () => {
    const { store, steps } = await openMongoStore({ url, production: false });
    return {
      store,
      steps,
      async close() {
        await store.close();
        await emptyDatabase(url);
      },
    };
  };
  // Each step is several round trips to a server that others use too.
  jest.setTimeout(60_000);
  storeContract('mongo', open, 20);
}
