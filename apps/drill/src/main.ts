/**
 * `npm run drill`: faults under steady traffic, and a verdict on what clients saw of them (docs/operations/drill.md). The history file
 * can be judged again with `--check`.
 */
import { resolve } from 'node:path';
import { systemRandom } from '@sealwire/crypto/random';
import { planCluster } from './cluster/cluster.ts';
import { planEmbedded } from './cluster/embedded.ts';
import { planRegions } from './cluster/regions.ts';
import { command } from './command.ts';
import { FAULTS } from './faults/all.ts';
import { foreign } from './foreign.ts';

await command({
  scope: 'everything',
  faults: FAULTS,
  async plan({ against, embedded, engines, regions, delayMs }, folder) {
    if (against !== undefined) return foreign(against);
    if (embedded) return planEmbedded(folder);
    const terms = { folder, enginesFolder: resolve(engines), random: systemRandom };
    return regions === 1 ? planCluster(terms) : planRegions({ ...terms, delayMs });
  },
});
