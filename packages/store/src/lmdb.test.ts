import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import type { OpenStore } from './contract/fixture.ts';
import { modelContract } from './contract/model.ts';
import { storeContract } from './contract.ts';
import { openLmdbStore } from './lmdb.ts';

function opener(logBytes: number | undefined): OpenStore {
  return async () => {
    const path = await mkdtemp(join(tmpdir(), 'sealwire-store-'));
    const store = await openLmdbStore({ path, ...(logBytes !== undefined && { logBytes }) });
    return {
      store,
      async close() {
        await store.close();
        await rm(path, { recursive: true });
      },
    };
  };
}

storeContract('lmdb', opener(undefined));
storeContract('lmdb, without room in the log', opener(0));
describe('lmdb, a short log', () => modelContract(opener(64 << 10)));
