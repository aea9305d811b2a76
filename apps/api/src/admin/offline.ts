/** The same orders where no server runs: on a store that the command has opened itself. Nobody is connected, so nobody has to be told. */
import { openMemoryBus } from '@sealwire/bus/memory';
import type { Bus } from '@sealwire/bus/port';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { createAnnouncer } from '@sealwire/service/announce';
import type { AdminCommands } from '@sealwire/service/http-door';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import type { Store } from '@sealwire/store/port';
import { adminCommands } from './door.ts';

/** `bus`: of the nodes that run on the same store; not given: none does. */
export function offlineAdminCommands(
  store: Store,
  { now, domain, bus = openMemoryBus() }: { now(): number; domain: string; bus?: Bus },
): AdminCommands {
  // What is said by the orders themselves is the only log.
  const log = silentLog;
  const announcer = createAnnouncer({ bus, log, metrics: createMetrics() });
  return adminCommands({ store, bus, announcer, crypto: nodeCrypto(), random: systemRandom, now, domain, log });
}
