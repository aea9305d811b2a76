/**
 * A short drill of a whole cluster: database, Redis, two relays, two directories, two apis, nginx. Skipped aloud where the engines are not
 * built (infra/engines/for-tests.sh up), without nginx or redis-server, and for who is not root.
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
import { planCluster } from './cluster.ts';

// A minute or so; many times that on a machine that has other work.
jest.setTimeout(600_000);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-cluster-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

(canRunCluster ? describe : describe.skip)('a cluster (skipped without engines, nginx, root)', () => {
  it('loses, doubles and reorders nothing when a relay, the database and Redis die, and all sockets break', async () => {
    const names = ['kill-relay', 'kill-database', 'kill-redis', 'kill-subscribers', 'cut-clients'];
    const deployment = await planCluster({ folder, enginesFolder: join(folder, 'engines'), random: systemRandom });
    const faults = faultsFor(FAULTS, deployment, names);
    const { offences, over, counts } = await shortDrill(folder, deployment, faults, ['--people=4', '--rate=10']);
    expect(offences).toEqual([]);
    expect(over).toEqual(names);
    expect(counts.accepted).toBe(counts.sent);
    expect(Math.min(counts.received, counts.keys, counts.manifests)).toBeGreaterThan(0);
  });
});
