/**
 * A short drill of two regions on one database. Skipped aloud where the engines are not built (infra/engines/for-tests.sh up), without nginx or
 * redis-server, and for who is not root. Faults last seconds here: what they cost is the long form's business.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { systemRandom } from '@sealwire/crypto/random';
import { FAULTS } from '../faults/all.ts';
import { faultsFor } from '../faults/fault.ts';
import { canRunCluster } from '../testing/can-run-cluster.ts';
import { shortDrill } from '../testing/short-drill.ts';
import { planRegions } from './regions.ts';

// A minute or so; many times that on a machine that has other work.
jest.setTimeout(600_000);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-regions-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

(canRunCluster ? describe : describe.skip)('two regions (skipped without engines, nginx, root)', () => {
  it('lose, double and reorder nothing when the way between them is cut, one dies, and one is taken out and back', async () => {
    const names = ['cut-between', 'kill-region', 'take-out'];
    const deployment = await planRegions({
      ...{ folder, enginesFolder: join(folder, 'engines') },
      ...{ random: systemRandom, delayMs: 40 },
    });
    const faults = faultsFor(FAULTS, deployment, names).map((fault) => ({
      ...fault,
      holdMs: Math.min(fault.holdMs, 3_000),
    }));
    const { offences, over, counts } = await shortDrill(folder, deployment, faults, ['--people=3', '--rate=3']);
    expect(offences).toEqual([]);
    expect(over).toEqual(names);
    expect(counts.accepted).toBe(counts.sent);
    expect(Math.min(counts.received, counts.deliveries)).toBeGreaterThan(0);
  });
});
