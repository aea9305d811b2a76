// `npm start`: builds what is not built yet, then runs the whole server in this very process, so that a signal reaches it once.
// Arguments go to the server: `npm start -- --listen 127.0.0.1:9000`, `npm start -- invite`.
import { build } from './build.mjs';

const LOOK_EVERY_MS = 250;
const parent = process.ppid;

build(['@sealwire/solo', '@sealwire/cli']);
await import('../../apps/solo/dist/main.js');
if ('npm_lifecycle_event' in process.env) endWithParent();

/** npm hands a signal to the shell between us, and that shell dies of it without a word to us: no server may be left behind. */
function endWithParent() {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS).unref();
  // A signal that did reach us is under way already; a second one would cut it short.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => clearInterval(timer));
}
