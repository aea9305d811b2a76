// `npm run server -- api|directory|relay|all`: one of the servers as a process of its own, by the entry of the container image.
import { runBuilt } from './run-built.mjs';

await runBuilt(['@sealwire/server'], 'apps/server/dist/main.js');
