/** A device that wants into an account and shows what it would show a user, for tests of linking. */
import { Client } from '@sealwire/client/client';
import type { MemoryStorage } from '@sealwire/client/memory-storage';
import type { Constellation } from './constellation.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { ONE_CURVE, runtimeOver } from './person.ts';

export function newcomer(constellation: Pick<Constellation, 'origin'>, name: string, storage: MemoryStorage) {
  const network = new FlakyNetwork();
  const shown = { code: deferred<string>(), digits: deferred<string>() };
  const stop = new AbortController();
  const linked = Client.link({
    server: constellation.origin,
    name,
    storage,
    runtime: runtimeOver(network),
    curves: ONE_CURVE,
    signal: stop.signal,
    code: shown.code.resolve,
    digits: shown.digits.resolve,
  });
  return { linked, network, storage, stop, code: shown.code.promise, digits: shown.digits.promise };
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
