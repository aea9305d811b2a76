/** How often one client address may read and publish manifests: names cannot be tried by the million (cases D17, S76). */
import type { IncomingMessage } from 'node:http';
import { clientAddress, limiterKey, trustedProxies } from '@sealwire/service/client-address';
import { createLimiter, type HeaderSink, type Limiter, type LimiterDeps } from '@sealwire/service/rate-limit';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { DirectorySettings } from '../settings.ts';

const MINUTE = 60_000;
/** Every version is kept, and every contact reads it: a list of devices changes a few times a year. */
const VERSIONS_PER_HOUR = 60;

export interface ManifestLimiters {
  /** Rejects with a 429 `Problem`. */
  read(request: IncomingMessage, reply: HeaderSink): Promise<void>;
  /** Rejects with a 429 `Problem`. */
  write(request: IncomingMessage, reply: HeaderSink): Promise<void>;
  /** Before a new version that `account` has signed is stored. Rejects with a 429 `Problem`. */
  version(account: AccountAddress): Promise<void>;
}

export function createManifestLimiters(settings: DirectorySettings, deps: LimiterDeps): ManifestLimiters {
  const proxies = trustedProxies(settings.TRUSTED_PROXIES);
  const limiter = (name: string, points: number) => createLimiter(name, { points, windowMs: MINUTE }, deps);
  const reads = limiter('manifest-reads', settings.MANIFEST_READS_PER_ADDRESS);
  const writes = limiter('manifest-writes', settings.MANIFEST_WRITES_PER_ADDRESS);
  const versions = createLimiter('manifest-versions', { points: VERSIONS_PER_HOUR, windowMs: 60 * MINUTE }, deps);
  const demand = async (limiter: Limiter, request: IncomingMessage, reply: HeaderSink) => {
    reply.headers(await limiter.demand(limiterKey(clientAddress(request, proxies))));
  };
  return {
    read: (request, reply) => demand(reads, request, reply),
    write: (request, reply) => demand(writes, request, reply),
    async version(account) {
      await versions.demand(account);
    },
  };
}
