/** The one place that knows all adapters of the store: `STORE_URL` chooses, and only the chosen one is loaded. Mains call it, nobody else. */
import { type OpenTerms, type Store, StoreError } from './port.ts';

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/**
 * `memory:` for tests and trials; `lmdb:./data`, a folder of this machine, made when it is missing. Rejects with `StoreError` whose one
 * line names the value's problem and the fix. `mongodb://…`: a MongoDB-compatible replica set, for many nodes.
 */
export async function openStore(url: string, terms: OpenTerms = {}): Promise<Store> {
  const scheme = SCHEME.exec(url)?.[0] ?? '';
  switch (scheme) {
    case 'memory:': {
      const { openMemoryStore } = await import('./memory.ts');
      return openMemoryStore();
    }
    case 'lmdb:': {
      const path = url.slice(scheme.length);
      if (path === '') throw new StoreError('not-found', 'the store URL lmdb: names no folder; write lmdb:./data');
      const { openLmdbStore } = await import('./lmdb.ts');
      return openLmdbStore({ path, ...terms });
    }
    case 'mongodb:':
    case 'mongodb+srv:': {
      const { openMongoStore } = await import('./mongo.ts');
      const { store } = await openMongoStore({ url, production: terms.production ?? true });
      return store;
    }
    default:
      // The value itself is not repeated: a store URL may carry a password.
      throw new StoreError(
        'not-found',
        `the store URL has ${scheme === '' ? 'no scheme' : `the unknown scheme ${scheme}`}; use lmdb:FOLDER, mongodb://HOST/DATABASE or memory:`,
      );
  }
}
