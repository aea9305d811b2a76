// Builds workspaces, quietly: one line when there is something to do, everything the compiler said when it fails.
// Turbo keeps finished builds in its local cache, so a second run takes a moment; its telemetry is off.
// As a command (`npm run build`) it builds all of them; arguments go to turbo (`-- --force`).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds the workspaces named (`@sealwire/solo`) and all that they depend on; none named: all. Ends the process when that fails. */
export function build(workspaces, options = []) {
  process.stderr.write('building…\n');
  const filters = workspaces.map((name) => `--filter=${name}`);
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/turbo/bin/turbo'), 'run', 'build', '--output-logs=errors-only', ...filters, ...options],
    { cwd: root, encoding: 'utf8', env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' } },
  );
  if (status === 0) return;
  const reason = error ? `turbo cannot be started (${error.message}): run npm ci first` : `${stdout}${stderr}`;
  process.stderr.write(`${reason}\nthe build failed\n`);
  process.exit(status ?? 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build([], process.argv.slice(2));
