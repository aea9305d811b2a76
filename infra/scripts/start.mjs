// `npm start`: builds what is not built yet, then runs the whole server in this very process, so that a signal reaches it once.
// Arguments go to the server: `npm start -- --listen 127.0.0.1:9000`, `npm start -- invite`.
import { build } from './build.mjs';

build(['@sealwire/solo', '@sealwire/cli']);
await import('../../apps/solo/dist/main.js');
