/** How often one client address may read and publish manifests: names cannot be tried by the million (cases D17, S76). */
import type { IncomingMessage } from 'node:http';
import { clientAddress, limiterKey, trustedProxies } from '@sealwire/service/client-address';
import type { Metrics } from '@sealwire/service/metrics';
import { createLimiter } from '@sealwire/service/rate-limit';
import type { DirectorySettings } from '../settings.ts';

const MINUTE = 60_000;

export interface ManifestLimiters {
  /** Throws a 429 `Problem`. */
  read(request: IncomingMessage): Promise<void>;
  /** Throws a 429 `Problem`. */
  write(request: IncomingMessage): Promise<void>;
}

export function createManifestLimiters(settings: DirectorySettings, metrics: Metrics): ManifestLimiters {
  const proxies = trustedProxies(settings.TRUSTED_PROXIES);
  const keyOf = (request: IncomingMessage) => limiterKey(clientAddress(request, proxies));
  const reads = createLimiter(
    'manifest-reads',
    { points: settings.MANIFEST_READS_PER_ADDRESS, windowMs: MINUTE },
    metrics,
  );
  const writes = createLimiter(
    'manifest-writes',
    { points: settings.MANIFEST_WRITES_PER_ADDRESS, windowMs: MINUTE },
    metrics,
  );
  return {
    read: (request) => reads.demand(keyOf(request)),
    write: (request) => writes.demand(keyOf(request)),
  };
}
