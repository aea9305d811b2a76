// `npm run admin -- accounts list`: sealwire-admin, for the server of `npm start` or any other (docs/operations/administration.md).
import { runBuilt } from './run-built.mjs';

await runBuilt(['@sealwire/server'], 'apps/server/dist/admin.js');
