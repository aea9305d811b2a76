/**
 * The store of one process, gone when it ends: tests, trials, and the model that the durable adapters are compared with.
 * "Durable" means here: in this process's memory.
 */
import { memoryAccountRecords } from './memory/account-records.ts';
import { memoryAccounts, memoryDevices, memoryManifests } from './memory/accounts.ts';
import { memoryAppPasswords } from './memory/app-passwords.ts';
import { memoryAttachments } from './memory/attachments.ts';
import { memoryExpiryTime } from './memory/expiry-time.ts';
import { memoryMailboxes } from './memory/mailboxes.ts';
import { memoryNesUsers } from './memory/nes-users.ts';
import { memoryOnce } from './memory/once.ts';
import { memoryAuditTrail, memoryOperatorRecords } from './memory/operator.ts';
import { memoryPrekeys } from './memory/prekeys.ts';
import { emptyState } from './memory/state.ts';
import { memoryWaiting } from './memory/waiting.ts';
import { type Store, StoreError } from './port.ts';

/** A new, empty store. After `close` every call rejects with `unavailable`. */
export function openMemoryStore(): Store {
  const state = emptyState();
  let closed = false;

  /** `part` with a look at `closed` before each call. */
  function guarded<Part extends object>(part: Part): Part {
    const entries = Object.entries(part).map(([name, call]) => [
      name,
      async (...args: unknown[]) => {
        if (closed) throw new StoreError('unavailable', 'the store is closed');
        return call(...args);
      },
    ]);
    return Object.fromEntries(entries) as Part;
  }

  return {
    accounts: guarded(memoryAccounts(state)),
    manifests: guarded(memoryManifests(state)),
    devices: guarded(memoryDevices(state)),
    prekeys: guarded(memoryPrekeys(state)),
    waiting: guarded(memoryWaiting(state)),
    mailboxes: guarded(memoryMailboxes(state)),
    appPasswords: guarded(memoryAppPasswords(state)),
    attachments: guarded(memoryAttachments(state)),
    accountRecords: guarded(memoryAccountRecords(state)),
    nesUsers: guarded(memoryNesUsers(state)),
    operatorRecords: guarded(memoryOperatorRecords(state)),
    auditTrail: guarded(memoryAuditTrail(state)),
    once: guarded(memoryOnce(state)),
    expiryTime: guarded(memoryExpiryTime(state)),
    ...guarded({ async probe() {} }),
    async close() {
      closed = true;
    },
  };
}
