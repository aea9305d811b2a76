/** Whether the directory holds the keys that a device believes it holds (docs/spec/lime-key-server.md section 5; case D15). */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { Metrics } from '@sealwire/service/metrics';
import { type PointerError, Problem } from '@sealwire/service/problem';
import type { Store } from '@sealwire/store/port';
import type { KeysCheckBody } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import { KEYS_PARTS, type KeysDigests, type KeysPart, keysDigests } from '@sealwire/wire/keys-check';
import { LIME_SUITES, type ServedSuite, SUITE_NAMES } from '@sealwire/wire/lime-server';
import type { z } from 'zod';
import type { BundleBudget } from '../lime/bundle-budget.ts';

export interface KeysServiceDeps {
  readonly store: Pick<Store, 'prekeys'>;
  readonly crypto: Pick<CryptoProvider, 'sha256' | 'equal'>;
  readonly metrics: Metrics;
  readonly budget: Pick<BundleBudget, 'demandUpload'>;
}

const PARTS = Object.keys(KEYS_PARTS) as KeysPart[];

export class KeysService {
  constructor(private readonly deps: KeysServiceDeps) {}

  /** Throws `keys-differ` with a pointer to each part that does; 429 for a device that asks or uploads too often. */
  async check(device: DeviceId, { suites }: z.output<typeof KeysCheckBody>): Promise<void> {
    await this.deps.budget.demandUpload({ device, vouchedBy: 'device' });
    const errors: PointerError[] = [];
    for (const [i, { suite, ...believed }] of suites.entries()) {
      const held = await this.digests(
        device,
        SUITE_NAMES.find((name) => LIME_SUITES[name].id === suite),
      );
      if (held) errors.push(...this.differences(`/suites/${i}`, believed, held));
      else errors.push({ pointer: `/suites/${i}`, detail: 'not registered' });
    }
    this.deps.metrics.directoryKeyChecks.inc({ result: errors.length === 0 ? 'same' : 'differ' });
    if (errors.length > 0) throw new Problem('keys-differ', { errors });
  }

  private async digests(device: DeviceId, suite: ServedSuite | undefined): Promise<KeysDigests | undefined> {
    const { prekeys } = this.deps.store;
    const [bundle] = suite ? await prekeys.find(suite, [device]) : [];
    if (!suite || !bundle) return undefined;
    const oneTimePrekeyIds = await prekeys.listOneTime(device, suite);
    return keysDigests(this.deps.crypto, suite, { ...bundle, oneTimePrekeyIds });
  }

  private differences(pointer: string, believed: KeysDigests, held: KeysDigests): PointerError[] {
    return PARTS.filter((part) => !this.deps.crypto.equal(believed[part], held[part])).map((part) => ({
      pointer: `${pointer}/${part}`,
      detail: 'differs',
    }));
  }
}
