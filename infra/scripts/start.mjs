// `npm start`: builds what is not built yet, then runs the whole server.
// Arguments go to the server: `npm start -- --listen 127.0.0.1:9000`, `npm start -- invite`.
import { runBuilt } from './run-built.mjs';

await runBuilt(['@sealwire/solo', '@sealwire/cli', '@sealwire/load'], 'apps/solo/dist/main.js');
