// Builds what a command needs, quietly: one line when there is something to do, everything the compiler said when it fails.
// Turbo keeps finished builds in its local cache, so a second run takes a moment.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds the workspaces named (`@sealwire/solo`) and all that they depend on. Ends the process when that fails. */
export function build(workspaces) {
  const turbo = join(root, 'node_modules/turbo/bin/turbo');
  if (!existsSync(turbo)) {
    process.stderr.write('the dependencies are not installed: run npm ci first\n');
    process.exit(2);
  }
  process.stderr.write('building…\n');
  const filters = workspaces.map((name) => `--filter=${name}`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [turbo, 'run', 'build', '--output-logs=errors-only', ...filters],
    { cwd: root, encoding: 'utf8', env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' } },
  );
  if (status === 0) return;
  process.stderr.write(`${stdout}${stderr}\nthe build failed\n`);
  process.exit(status ?? 1);
}
