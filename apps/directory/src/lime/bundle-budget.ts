/**
 * How many bundles, and how many one-time prekeys, a device may ask for: nobody drains anybody's pool, alone or with others
 * (lime-protocol section 4.3; cases D12, D17, S07).
 */
import { createLimiter, type LimiterDeps } from '@sealwire/service/rate-limit';
import type { DeviceId } from '@sealwire/wire/ids';
import type { DirectorySettings } from '../settings.ts';

const TEN_MINUTES = 600_000;
const HOUR = 3_600_000;

export interface BundleBudget {
  /** Throws a 429 `Problem` when `requester` has asked for too many bundles. */
  demand(requester: DeviceId, bundles: number): void;
  /** Whether `requester` may have a one-time prekey of `target` now. */
  mayTakeOneTime(requester: DeviceId, target: DeviceId): boolean;
  /** Throws a 429 `Problem` when `device` has uploaded too often. */
  demandUpload(device: DeviceId): void;
}

export function createBundleBudget(settings: DirectorySettings, deps: LimiterDeps): BundleBudget {
  const limiter = (name: string, points: number, windowMs: number) => createLimiter(name, { points, windowMs }, deps);
  const requesters = limiter('bundles-requester', settings.BUNDLES_PER_REQUESTER, TEN_MINUTES);
  const pairs = limiter('bundles-pair', settings.BUNDLES_PER_PAIR, TEN_MINUTES);
  const targets = limiter('bundles-target', settings.BUNDLES_PER_TARGET, HOUR);
  const uploads = limiter('key-uploads', settings.KEY_UPLOADS_PER_DEVICE, TEN_MINUTES);
  return {
    demand: (requester, bundles) => requesters.demand(requester, bundles),
    // The pair first: whoever is over its own limit does not use up the target's.
    mayTakeOneTime: (requester, target) =>
      pairs.refused(`${requester}\n${target}`) === undefined && targets.refused(target) === undefined,
    demandUpload: (device) => uploads.demand(device),
  };
}
