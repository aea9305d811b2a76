// `npm run drill`: builds the servers and the drill, then runs the drill in this very process, so that a signal reaches it once.
// Arguments go to it: `npm run drill -- --minutes=30` (docs/operations/drill.md).
import { build } from './build.mjs';

build([
  '@sealwire/drill',
  '@sealwire/api',
  '@sealwire/directory',
  '@sealwire/relay',
  '@sealwire/solo',
  '@sealwire/server',
]);
await import('../../apps/drill/dist/main.js');
