/** One contract suite judges every place where a device can keep its records. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { IDBFactory } from 'fake-indexeddb';
import { IndexedDbStorage } from '../browser/indexed-db-storage.ts';
import type { DatabaseFactory } from '../browser/platform.ts';
import { FolderStorage } from '../node/folder-storage.ts';
import { FakeLocks } from '../testing/fake-locks.ts';
import { type StoragePlace, storageContract } from '../testing/storage-contract.ts';
import { MemoryStorage } from './memory-storage.ts';
import { SealedStorage } from './sealed-storage.ts';

function memory(): StoragePlace {
  const storage = new MemoryStorage();
  return { open: async () => storage, remove() {} };
}

function folder(): StoragePlace {
  const parent = mkdtempSync(join(tmpdir(), 'sealwire-contract-'));
  return {
    open: async () => FolderStorage.open(join(parent, 'device')),
    remove: () => rmSync(parent, { recursive: true }),
  };
}

function indexedDb(): StoragePlace {
  const platform = {
    indexedDB: new IDBFactory() as unknown as DatabaseFactory,
    locks: new FakeLocks(),
    // Nobody here gives a lock up late: who has to wait at all waits in vain.
    timers: {
      after: (_ms: number, run: () => void) => {
        const turn = setImmediate(run);
        return () => clearImmediate(turn);
      },
    },
  };
  return { open: () => IndexedDbStorage.open('alice', platform), remove() {} };
}

function sealed(newPlace: () => StoragePlace): () => StoragePlace {
  return () => {
    const place = newPlace();
    const random = seededRandom(3);
    const key = new Uint8Array(32).fill(7);
    return { ...place, open: async () => new SealedStorage(await place.open(), key, nobleCrypto(), random) };
  };
}

storageContract('memory', memory);
storageContract('folder', folder);
storageContract('IndexedDB', indexedDb);
storageContract('memory, sealed', sealed(memory));
storageContract('folder, sealed', sealed(folder));
storageContract('IndexedDB, sealed', sealed(indexedDb));
