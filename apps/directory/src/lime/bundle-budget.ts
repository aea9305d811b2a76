/**
 * How many bundles, and how many one-time prekeys, somebody may ask for: nobody drains anybody's pool, alone or with others, nor uses
 * up what strangers would get (lime-protocol section 4.3; docs/adr/0022-limits-count-accounts.md; cases D12, D17, S07). A device has a
 * pool, and a budget, on each suite. What a requester may have is counted by device and bounded by account.
 */
import type { Charge } from '@sealwire/bus/counters';
import { MemoryCounters } from '@sealwire/bus/memory-counters';
import { createLimiter, type LimiterDeps, waitOf } from '@sealwire/service/rate-limit';
import { accountOf, canonicalDomainOf, type DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { DirectorySettings } from '../settings.ts';
import type { LimeSender } from './sender.ts';

const TEN_MINUTES = 600_000;

/** What somebody gets of a device now: the bundle with a one-time prekey, the bundle, or nothing. */
export type Allowance = 'one-time' | 'bundle' | 'nothing';

export interface BundleBudget {
  /** Rejects with a 429 `Problem` when `sender`, its account, or the peer that asks for it, has asked for too many bundles. */
  demand(sender: LimeSender, bundles: number): Promise<void>;
  allowance(sender: LimeSender, target: DeviceId, suite: ServedSuite): Promise<Allowance>;
  /** After an allowance of `one-time` for a `target` that has no bundle: ids that strangers make up are not remembered. */
  giveBack(sender: LimeSender, target: DeviceId, suite: ServedSuite): Promise<void>;
  /** Rejects with a 429 `Problem` when `sender` has uploaded too often. */
  demandUpload(sender: LimeSender): Promise<void>;
}

/** Of what one device may ask for, that all devices of its account together may: new devices of one account are no new people. */
const ASKED_BY_ACCOUNT = 4;
/** The same, for one-time prekeys of one target, in the target's period: ten devices can each begin a session with it. */
const TAKEN_BY_ACCOUNT = 2;

export function createBundleBudget(settings: DirectorySettings, deps: LimiterDeps): BundleBudget {
  const { metrics, counters = new MemoryCounters(deps.now) } = deps;
  const limiter = (name: string, points: number, windowMs: number) => createLimiter(name, { points, windowMs }, deps);
  const { BUNDLES_PER_REQUESTER, BUNDLES_PER_PAIR, BUNDLES_PER_TARGET } = settings;
  const pairMs = settings.BUNDLES_PER_PAIR_SECONDS * 1000;
  const targetMs = settings.BUNDLES_PER_TARGET_SECONDS * 1000;
  const requesters = limiter('bundles-requester', BUNDLES_PER_REQUESTER, TEN_MINUTES);
  const accounts = limiter('bundles-account', ASKED_BY_ACCOUNT * BUNDLES_PER_REQUESTER, TEN_MINUTES);
  const peers = limiter('bundles-peer', settings.BUNDLES_PER_PEER, TEN_MINUTES);
  const uploads = limiter('key-uploads', settings.KEY_UPLOADS_PER_DEVICE, TEN_MINUTES);
  const beyond: Allowance = settings.BUNDLE_LIMITS_WITHHOLD === 'bundle' ? 'nothing' : 'bundle';
  /** The narrowest first: it is the one that a refusal names. */
  function chargesOf({ device, vouchedBy }: LimeSender, target: DeviceId, suite: ServedSuite): readonly Charge[] {
    const keys = `${target}\n${suite}`;
    const charge = (counter: string, key: string, limit: number, windowMs: number): Charge => ({
      counter,
      key,
      points: 1,
      limit,
      windowMs,
    });
    const pair = charge('bundles-pair', `${device}\n${keys}`, BUNDLES_PER_PAIR, pairMs);
    // Also without a limit it counts: the target's reserve asks who has had something.
    const ofAccount = TAKEN_BY_ACCOUNT * BUNDLES_PER_PAIR || Number.POSITIVE_INFINITY;
    const share = charge('bundles-share', `${accountOf(device)}\n${keys}`, ofAccount, targetMs);
    const charges = BUNDLES_PER_PAIR === 0 ? [share] : [pair, share];
    if (BUNDLES_PER_TARGET === 0) return charges;
    const untakenAt = charges.length - 1;
    // A peer says for whom it asks: were it to invent people, half of a target's keys would be left to everybody else.
    if (vouchedBy === 'peer') {
      const half = Math.ceil(BUNDLES_PER_TARGET / 2);
      charges.push(charge('bundles-peer-target', `${canonicalDomainOf(device)}\n${keys}`, half, targetMs));
    }
    const reserve = { points: Math.floor(BUNDLES_PER_TARGET / 2), untakenAt };
    charges.push({ ...charge('bundles-target', keys, BUNDLES_PER_TARGET, targetMs), reserve });
    return charges;
  }
  return {
    async demand({ device, vouchedBy }, bundles) {
      if (vouchedBy === 'peer') await peers.demand(canonicalDomainOf(device), bundles);
      await requesters.demand(device, bundles);
      await accounts.demand(accountOf(device), bundles);
    },
    async allowance(sender, target, suite) {
      const charges = chargesOf(sender, target, suite);
      const waitMs = waitOf(await counters.take(`${target}\n${suite}`, charges), charges, metrics);
      return waitMs === undefined ? 'one-time' : beyond;
    },
    giveBack: (sender, target, suite) => counters.giveBack(`${target}\n${suite}`, chargesOf(sender, target, suite)),
    // An app password speaks for any device id, so that all of them share what one may upload.
    async demandUpload({ device, vouchedBy }) {
      await uploads.demand(vouchedBy === 'account' ? accountOf(device) : device);
    },
  };
}
