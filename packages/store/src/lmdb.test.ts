import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import type { OpenStore } from './contract/fixture.ts';
import { modelContract } from './contract/model.ts';
import { storeContract } from './contract.ts';
import { openLmdbStore } from './lmdb.ts';
import type { Store } from './port.ts';

/** How many stores share the folder, and take turns. */
function opener(journalBytes: number | undefined, count = 1): OpenStore {
  return async () => {
    const path = await mkdtemp(join(tmpdir(), 'sealwire-store-'));
    const options = { path, ...(journalBytes !== undefined && { journalBytes }) };
    const stores: Store[] = [];
    while (stores.length < count) stores.push(await openLmdbStore(options));
    return {
      store: { ...(stores[0] as Store), mailboxes: takingTurns(stores.map(({ mailboxes }) => mailboxes)) },
      async close() {
        for (const store of stores) await store.close();
        await rm(path, { recursive: true });
      },
    };
  };
}

/** Each call goes to the next one. */
function takingTurns<Port extends object>(all: readonly Port[]): Port {
  let calls = 0;
  return new Proxy(all[0] as Port, {
    get: (_, name) => Reflect.get(all[calls++ % all.length] as Port, name),
  });
}

storeContract('lmdb', opener(undefined));
storeContract('lmdb, settled with every commit', opener(0));
describe('lmdb, a short journal', () => modelContract(opener(64 << 10)));
describe('lmdb, three stores of one folder and a short journal', () => modelContract(opener(64 << 10, 3)));
