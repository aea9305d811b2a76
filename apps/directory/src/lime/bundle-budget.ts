/**
 * How many bundles, and how many one-time prekeys, a device may ask for: nobody drains anybody's pool, alone or with others
 * (lime-protocol section 4.3; cases D12, D17, S07).
 */
import type { Metrics } from '@sealwire/service/metrics';
import { createLimiter } from '@sealwire/service/rate-limit';
import type { DeviceId } from '@sealwire/wire/ids';
import type { DirectorySettings } from '../settings.ts';

const TEN_MINUTES = 600_000;
const HOUR = 3_600_000;

export interface BundleBudget {
  /** Throws a 429 `Problem` when `requester` has asked for too many bundles. */
  demand(requester: DeviceId, bundles: number): Promise<void>;
  /** Whether `requester` may have a one-time prekey of `target` now. */
  mayTakeOneTime(requester: DeviceId, target: DeviceId): Promise<boolean>;
  /** Throws a 429 `Problem` when `device` has uploaded too often. */
  demandUpload(device: DeviceId): Promise<void>;
}

export function createBundleBudget(settings: DirectorySettings, metrics: Metrics): BundleBudget {
  const requesters = createLimiter(
    'bundles-requester',
    { points: settings.BUNDLES_PER_REQUESTER, windowMs: TEN_MINUTES },
    metrics,
  );
  const pairs = createLimiter('bundles-pair', { points: settings.BUNDLES_PER_PAIR, windowMs: TEN_MINUTES }, metrics);
  const targets = createLimiter('bundles-target', { points: settings.BUNDLES_PER_TARGET, windowMs: HOUR }, metrics);
  const uploads = createLimiter(
    'key-uploads',
    { points: settings.KEY_UPLOADS_PER_DEVICE, windowMs: TEN_MINUTES },
    metrics,
  );
  return {
    demand: (requester, bundles) => requesters.demand(requester, bundles),
    // The pair first: whoever is over its own limit does not use up the target's.
    mayTakeOneTime: async (requester, target) =>
      (await pairs.refused(`${requester}\n${target}`)) === undefined && (await targets.refused(target)) === undefined,
    demandUpload: (device) => uploads.demand(device),
  };
}
