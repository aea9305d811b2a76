/**
 * What an operator does about a damaged embedded store: look at all of it, and go on without what is
 * lost (docs/operations/storage.md).
 */
import { type Verdict, verifyLmdbStore } from './lmdb/verify.ts';
import { openLmdbStore } from './lmdb.ts';

export { type Verdict, verifyLmdbStore } from './lmdb/verify.ts';

/**
 * Takes over what can be read of a damaged log, and gives mailboxes new heads whose heads are
 * damaged; their devices are told of what may be missing. What is wrong before it and after it.
 * Rejects as `verifyLmdbStore`.
 */
export async function repairLmdbStore(path: string): Promise<{ before: Verdict; after: Verdict }> {
  const before = await verifyLmdbStore(path);
  const store = await openLmdbStore({ path });
  try {
    // An acknowledgement of nothing: who opens a mailbox to change it writes its head anew.
    await store.mailboxes.acknowledge(before.mailboxes.map((device) => ({ device, session: 0, upTo: 0 })));
  } finally {
    await store.close();
  }
  return { before, after: await verifyLmdbStore(path) };
}
