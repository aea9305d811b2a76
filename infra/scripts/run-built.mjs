// Runs a server from its build in this very process, so that a signal reaches it once: for `npm start` and `npm run server`.
import { build } from './build.mjs';

const LOOK_EVERY_MS = 250;

/** Builds `workspaces` if they are not, then runs `main`, a file below the root; arguments of this process go to it. */
export async function runBuilt(workspaces, main) {
  const parent = process.ppid;
  build(workspaces);
  await import(new URL(`../../${main}`, import.meta.url));
  if ('npm_lifecycle_event' in process.env) endWithParent(parent);
}

/** npm hands a signal to the shell between us, and that shell dies of it without a word to us: no server may be left behind. */
function endWithParent(parent) {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS).unref();
  // A signal that did reach us is under way already; a second one would cut it short.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => clearInterval(timer));
}
