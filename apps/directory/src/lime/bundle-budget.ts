/**
 * How many bundles, and how many one-time prekeys, somebody may ask for: nobody drains anybody's pool, alone or with others
 * (lime-protocol section 4.3; cases D12, D17, S07).
 */
import { createLimiter, type LimiterDeps } from '@sealwire/service/rate-limit';
import { accountOf, type DeviceId, domainOf } from '@sealwire/wire/ids';
import type { DirectorySettings } from '../settings.ts';
import type { LimeSender } from './sender.ts';

const TEN_MINUTES = 600_000;
const HOUR = 3_600_000;

/** What somebody gets of a device now: the bundle with a one-time prekey, the bundle, or nothing. */
export type Allowance = 'one-time' | 'bundle' | 'nothing';

export interface BundleBudget {
  /** Throws a 429 `Problem` when `sender`, or the peer that asks for it, has asked for too many bundles. */
  demand(sender: LimeSender, bundles: number): void;
  allowance(sender: LimeSender, target: DeviceId): Allowance;
  /** Throws a 429 `Problem` when `sender` has uploaded too often. */
  demandUpload(sender: LimeSender): void;
}

export function createBundleBudget(settings: DirectorySettings, deps: LimiterDeps): BundleBudget {
  const limiter = (name: string, points: number, windowMs: number) => createLimiter(name, { points, windowMs }, deps);
  const requesters = limiter('bundles-requester', settings.BUNDLES_PER_REQUESTER, TEN_MINUTES);
  const peers = limiter('bundles-peer', settings.BUNDLES_PER_PEER, TEN_MINUTES);
  const pairs = limiter('bundles-pair', settings.BUNDLES_PER_PAIR, TEN_MINUTES);
  const targets = limiter('bundles-target', settings.BUNDLES_PER_TARGET, HOUR);
  // A peer says for whom it asks: were it to invent people, half of a target's keys would be left to everybody else.
  const peerTargets = limiter('bundles-peer-target', Math.ceil(settings.BUNDLES_PER_TARGET / 2), HOUR);
  const uploads = limiter('key-uploads', settings.KEY_UPLOADS_PER_DEVICE, TEN_MINUTES);
  const beyond: Allowance = settings.BUNDLE_LIMITS_WITHHOLD === 'bundle' ? 'nothing' : 'bundle';
  return {
    demand(sender, bundles) {
      if (sender.vouchedBy === 'peer') peers.demand(domainOf(sender.device), bundles);
      requesters.demand(requesterOf(sender), bundles);
    },
    allowance(sender, target) {
      // The narrowest first: whoever is over its own limit does not use up the target's.
      const refused =
        pairs.refused(`${requesterOf(sender)}\n${target}`) !== undefined ||
        (sender.vouchedBy === 'peer' && peerTargets.refused(`${domainOf(sender.device)}\n${target}`) !== undefined) ||
        targets.refused(target) !== undefined;
      return refused ? beyond : 'one-time';
    },
    demandUpload: (sender) => uploads.demand(requesterOf(sender)),
  };
}

/** An app password speaks for any device id, so that all of them share what one may have. */
function requesterOf({ device, vouchedBy }: LimeSender): string {
  return vouchedBy === 'account' ? accountOf(device) : device;
}
