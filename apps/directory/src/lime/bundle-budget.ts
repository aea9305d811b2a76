/**
 * How many bundles, and how many one-time prekeys, somebody may ask for: nobody drains anybody's pool, alone or with others, nor uses
 * up what strangers would get (lime-protocol section 4.3; docs/adr/0022-limits-count-accounts.md; cases D12, D17, S07). A device has a
 * pool, and a budget, on each suite. What a requester may have is counted by device and bounded by account.
 */

import { createLimiter, type LimiterDeps } from '@sealwire/service/rate-limit';
import { accountOf, canonicalDomainOf, type DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { DirectorySettings } from '../settings.ts';
import type { LimeSender } from './sender.ts';

const TEN_MINUTES = 600_000;

/** What somebody gets of a device now: the bundle with a one-time prekey, the bundle, or nothing. */
export type Allowance = 'one-time' | 'bundle' | 'nothing';

export interface BundleBudget {
  /** Throws a 429 `Problem` when `sender`, its account, or the peer that asks for it, has asked for too many bundles. */
  demand(sender: LimeSender, bundles: number): void;
  allowance(sender: LimeSender, target: DeviceId, suite: ServedSuite): Allowance;
  /** After an allowance of `one-time` for a `target` that has no bundle: ids that strangers make up are not remembered. */
  giveBack(sender: LimeSender, target: DeviceId, suite: ServedSuite): void;
  /** Throws a 429 `Problem` when `sender` has uploaded too often. */
  demandUpload(sender: LimeSender): void;
}

/** Of what one device may ask for, that all devices of its account together may: new devices of one account are no new people. */
const ASKED_BY_ACCOUNT = 4;
/** The same, for one-time prekeys of one target, in the target's period: ten devices can each begin a session with it. */
const TAKEN_BY_ACCOUNT = 2;

export function createBundleBudget(settings: DirectorySettings, deps: LimiterDeps): BundleBudget {
  const limiter = (name: string, points: number, windowMs: number) => createLimiter(name, { points, windowMs }, deps);
  const { BUNDLES_PER_REQUESTER, BUNDLES_PER_PAIR, BUNDLES_PER_TARGET } = settings;
  const pairMs = settings.BUNDLES_PER_PAIR_SECONDS * 1000;
  const targetMs = settings.BUNDLES_PER_TARGET_SECONDS * 1000;
  const requesters = limiter('bundles-requester', BUNDLES_PER_REQUESTER, TEN_MINUTES);
  const accounts = limiter('bundles-account', ASKED_BY_ACCOUNT * BUNDLES_PER_REQUESTER, TEN_MINUTES);
  const peers = limiter('bundles-peer', settings.BUNDLES_PER_PEER, TEN_MINUTES);
  const pairs = limiter('bundles-pair', BUNDLES_PER_PAIR, pairMs);
  // Also without a limit it counts: who has had something is asked below.
  const shares = limiter('bundles-share', TAKEN_BY_ACCOUNT * BUNDLES_PER_PAIR || Number.POSITIVE_INFINITY, targetMs);
  const targets = limiter('bundles-target', BUNDLES_PER_TARGET, targetMs);
  // A peer says for whom it asks: were it to invent people, half of a target's keys would be left to everybody else.
  const peerTargets = limiter('bundles-peer-target', Math.ceil(BUNDLES_PER_TARGET / 2), targetMs);
  const keptForOthers = Math.floor(BUNDLES_PER_TARGET / 2);
  const uploads = limiter('key-uploads', settings.KEY_UPLOADS_PER_DEVICE, TEN_MINUTES);
  const beyond: Allowance = settings.BUNDLE_LIMITS_WITHHOLD === 'bundle' ? 'nothing' : 'bundle';
  const keysOf = ({ device, vouchedBy }: LimeSender, target: DeviceId, suite: ServedSuite) => {
    const keys = `${target}\n${suite}`;
    return {
      keys,
      pair: `${device}\n${keys}`,
      share: `${accountOf(device)}\n${keys}`,
      peer: vouchedBy === 'peer' ? `${canonicalDomainOf(device)}\n${keys}` : undefined,
    };
  };
  return {
    demand({ device, vouchedBy }, bundles) {
      if (vouchedBy === 'peer') peers.demand(canonicalDomainOf(device), bundles);
      requesters.demand(device, bundles);
      accounts.demand(accountOf(device), bundles);
    },
    allowance(sender, target, suite) {
      const { keys, pair, share, peer } = keysOf(sender, target, suite);
      // The narrowest first: whoever is over its own limit does not use up the target's.
      const isOver = pairs.spent(pair) ?? shares.spent(share) ?? (peer && peerTargets.spent(peer));
      if (isOver !== undefined) return beyond;
      if (targets.refused(keys, 1, shares.taken(share) === 0 ? 0 : keptForOthers) !== undefined) return beyond;
      pairs.refused(pair);
      shares.refused(share);
      if (peer) peerTargets.refused(peer);
      return 'one-time';
    },
    giveBack(sender, target, suite) {
      const { keys, pair, share, peer } = keysOf(sender, target, suite);
      targets.giveBack(keys);
      pairs.giveBack(pair);
      shares.giveBack(share);
      if (peer) peerTargets.giveBack(peer);
    },
    // An app password speaks for any device id, so that all of them share what one may upload.
    demandUpload: ({ device, vouchedBy }) => uploads.demand(vouchedBy === 'account' ? accountOf(device) : device),
  };
}
