/**
 * `getPeerBundle`: one entry a requested id, in order, repeats included, because liblime asks again for ever for a device that an answer
 * leaves out (lime-protocol section 0, trap 2). Devices of foreign domains are asked for at their own directories, all at once.
 */
import type { Metrics } from '@sealwire/service/metrics';
import type { PrekeyBundle, Store } from '@sealwire/store/port';
import { canonicalDomainOf, type DeviceId } from '@sealwire/wire/ids';
import type { LimeBundle, LimePeer, ServedSuite } from '@sealwire/wire/lime-server';
import type { ForeignDirectories } from '../foreign/foreign-directories.ts';
import type { Allowance, BundleBudget } from './bundle-budget.ts';
import type { DeviceNamed } from './device-names.ts';
import type { LimeSender } from './sender.ts';

export interface BundlesDeps {
  readonly store: Pick<Store, 'prekeys'>;
  readonly metrics: Metrics;
  readonly budget: BundleBudget;
  readonly now: () => number;
  readonly deviceNamed: DeviceNamed;
  /** Of the accounts here. */
  readonly domain: string;
  readonly foreign: ForeignDirectories;
}

/** A requested device and its place in the answer. */
interface Target {
  readonly at: number;
  readonly device: DeviceId;
}

export class Bundles {
  constructor(private readonly deps: BundlesDeps) {}

  /** Throws a 429 `Problem` beyond the requester's budget, and the store's failures. */
  async answer(sender: LimeSender, suite: ServedSuite, requested: readonly string[]): Promise<LimePeer[]> {
    await this.deps.budget.demand(sender, requested.length);
    const { local, foreign } = this.split(sender, requested);
    const found: (LimeBundle | undefined)[] = new Array(requested.length).fill(undefined);
    const claimed = this.claim(sender, suite, local, found);
    if (foreign.size === 0) await claimed;
    else {
      const fetched = [...foreign].map(([domain, targets]) => this.fetch(sender, domain, suite, targets, found));
      await Promise.all([claimed, ...fetched]);
    }
    return requested.map((device, at) => ({ device, bundle: found[at] }));
  }

  /** liblime knows no form of ids: what names no device has no bundle. */
  private split(sender: LimeSender, requested: readonly string[]) {
    const { deviceNamed } = this.deps;
    const local: Target[] = [];
    const foreign = new Map<string, Target[]>();
    for (const [at, text] of requested.entries()) {
      const device = deviceNamed(text);
      const domain = device && canonicalDomainOf(device);
      // A peer may ask for our own people only: nothing is relayed, so nothing can go in circles.
      const isForUs = sender.vouchedBy !== 'peer' || domain === this.deps.domain;
      if (!device || !domain || !isForUs) this.deps.metrics.directoryClaims.inc({ result: 'none' });
      else if (this.deps.foreign.serves(domain)) foreign.set(domain, [...(foreign.get(domain) ?? []), { at, device }]);
      else local.push({ at, device });
    }
    return { local, foreign };
  }

  private async claim(
    sender: LimeSender,
    suite: ServedSuite,
    targets: readonly Target[],
    found: (LimeBundle | undefined)[],
  ): Promise<void> {
    const { store, budget, now } = this.deps;
    if (targets.length === 0) return;
    // The hot path: plain loops, few arrays.
    const allowances = await Promise.all(targets.map(({ device }) => budget.allowance(sender, device, suite)));
    const [toClaim, toFind]: [DeviceId[], DeviceId[]] = [[], []];
    for (let i = 0; i < targets.length; i++) {
      if (allowances[i] === 'one-time') toClaim.push(targets[i]!.device);
      else if (allowances[i] === 'bundle') toFind.push(targets[i]!.device);
    }
    const claimed = toClaim.length === 0 ? [] : await store.prekeys.claim(suite, toClaim, now());
    const others = toFind.length === 0 ? [] : await store.prekeys.find(suite, toFind);
    for (let i = 0, nextClaimed = 0, nextOther = 0; i < targets.length; i++) {
      let bundle: PrekeyBundle | undefined;
      if (allowances[i] === 'one-time') {
        bundle = claimed[nextClaimed++];
        if (!bundle) await budget.giveBack(sender, targets[i]!.device, suite);
      } else if (allowances[i] === 'bundle') bundle = others[nextOther++];
      found[targets[i]!.at] = bundle;
      this.count(bundle, allowances[i]!);
    }
  }

  private async fetch(
    sender: LimeSender,
    domain: string,
    suite: ServedSuite,
    targets: readonly Target[],
    found: (LimeBundle | undefined)[],
  ): Promise<void> {
    const devices = targets.map(({ device }) => device);
    const bundles = await this.deps.foreign.bundles(sender.device, domain, suite, devices);
    for (const [i, { at }] of targets.entries()) found[at] = bundles[i];
  }

  private count(bundle: PrekeyBundle | undefined, allowance: Allowance): void {
    const { directoryClaims, prekeysLow } = this.deps.metrics;
    if (allowance === 'nothing') directoryClaims.inc({ result: 'withheld' });
    else if (!bundle) directoryClaims.inc({ result: 'none' });
    else if (bundle.oneTimePrekey) directoryClaims.inc({ result: 'one-time' });
    else if (allowance === 'bundle') directoryClaims.inc({ result: 'withheld' });
    else {
      directoryClaims.inc({ result: 'without' });
      prekeysLow.inc();
    }
  }
}
