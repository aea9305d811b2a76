/**
 * The store of many nodes, on a MongoDB-compatible server (docs/adr/0034). One connection a process; each call is a few writes of single
 * documents, of which one is its commit point.
 */
import type { Steps } from './faults.ts';
import { mongoAccountRecords } from './mongo/account-records.ts';
import { mongoAccounts, mongoManifests } from './mongo/accounts.ts';
import { mongoAppPasswords } from './mongo/app-passwords.ts';
import { mongoAttachments } from './mongo/attachments.ts';
import { mongoDevices } from './mongo/devices.ts';
import { openDocuments } from './mongo/documents.ts';
import { Engine, type EngineTerms, storeErrorOf } from './mongo/engine.ts';
import { mongoExpiryTime } from './mongo/expiry-time.ts';
import { mongoMailboxes } from './mongo/mailboxes.ts';
import { mongoNesUsers } from './mongo/nes-users.ts';
import { mongoOnce } from './mongo/once.ts';
import { mongoAuditTrail, mongoOperatorRecords } from './mongo/operator.ts';
import { mongoPrekeys } from './mongo/prekeys.ts';
import { checkSchema } from './mongo/schema.ts';
import { mongoWaiting } from './mongo/waiting.ts';
import { type Store, StoreError } from './port.ts';

/** With the durable steps of its calls, for the contract. Rejects with a `StoreError` that names the fix. */
export async function openMongoStore(terms: EngineTerms): Promise<{ readonly store: Store; readonly steps: Steps }> {
  const engine = await Engine.connect(terms);
  try {
    await checkSchema(engine);
  } catch (error) {
    await engine.close();
    throw storeErrorOf(error);
  }
  const ground = { engine, documents: openDocuments(engine.connection) };
  const underWay = new Set<Promise<unknown>>();
  let closed = false;

  /** `part`, whose calls get copies of what they are given, are waited for by `close`, and fail with `StoreError`s alone. */
  function guarded<Part extends object>(part: Part, copy: (args: unknown[]) => unknown[] = copies): Part {
    const entries = Object.entries(part).map(([name, call]) => [
      name,
      (...args: unknown[]) => {
        if (closed) return Promise.reject(new StoreError('unavailable', 'the store is closed'));
        const answer = (call as (...args: unknown[]) => Promise<unknown>)
          .apply(part, copy(args))
          .catch((error: unknown) => {
            throw storeErrorOf(error);
          });
        const ended = answer.then(
          () => {},
          () => {},
        );
        underWay.add(ended);
        void ended.then(() => underWay.delete(ended));
        return answer;
      },
    ]);
    return Object.fromEntries(entries) as Part;
  }

  const store: Store = {
    accounts: guarded(mongoAccounts(ground)),
    manifests: guarded(mongoManifests(ground)),
    devices: guarded(mongoDevices(ground)),
    prekeys: guarded(mongoPrekeys(ground)),
    waiting: guarded(mongoWaiting(ground)),
    // They copy by themselves: a message’s pieces are put together anyway.
    mailboxes: guarded(mongoMailboxes(ground), (args) => args),
    appPasswords: guarded(mongoAppPasswords(ground)),
    attachments: guarded(mongoAttachments(ground)),
    accountRecords: guarded(mongoAccountRecords(ground)),
    nesUsers: guarded(mongoNesUsers(ground)),
    operatorRecords: guarded(mongoOperatorRecords(ground)),
    auditTrail: guarded(mongoAuditTrail(ground)),
    once: guarded(mongoOnce(ground)),
    expiryTime: guarded(mongoExpiryTime(ground)),
    ...guarded({
      async probe() {
        const probes = engine.connection.db!.collection<{ _id: string; n: number }>('probes');
        await engine.write(() => probes.updateOne({ _id: 'probe' }, { $inc: { n: 1 } }, { upsert: true }));
        await engine.read(() => probes.findOne({ _id: 'probe' }));
      },
    }),
    async close() {
      closed = true;
      await Promise.all(underWay);
      await engine.close();
    },
  };
  return { store, steps: engine.steps };
}

/** With byte arrays anew; all else that the port passes is never changed. */
function copies(args: unknown[]): unknown[] {
  return args.map(copied);
}

function copied(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) return value.map(copied);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copied(part)]));
}
