import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeContract } from './contract.ts';
import { openLmdbStore } from './lmdb.ts';

storeContract('lmdb', async () => {
  const path = await mkdtemp(join(tmpdir(), 'sealwire-store-'));
  const store = await openLmdbStore({ path });
  return {
    store,
    async close() {
      await store.close();
      await rm(path, { recursive: true });
    },
  };
});
