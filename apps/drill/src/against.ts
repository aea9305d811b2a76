/**
 * `sealwire-server drill --against=URL`: the part of a drill that harms no server, for whoever has the container image and not this
 * repository (docs/operations/drill.md). It starts nothing: nothing of a cluster is loaded.
 */
import { command } from './command.ts';
import { HARMLESS_FAULTS } from './faults/clients.ts';
import { foreign } from './foreign.ts';

await command({
  scope: 'deployment',
  faults: HARMLESS_FAULTS,
  plan: async ({ against }) => foreign(against!),
});
