// Finds the linter and the fuzzer of OpenAPI documents that setup.sh fetches.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SET_UP = fileURLToPath(new URL('setup.sh', import.meta.url));
export const CONFIG = fileURLToPath(new URL('schemathesis.toml', import.meta.url));

/** The programs where they were fetched before, else why there are none. */
export function findTools() {
  const folder = execFileSync(SET_UP, ['--path'], { encoding: 'utf8' }).trim();
  if (!existsSync(join(folder, '.complete')))
    return { missing: 'not there: interop/openapi-tools/setup.sh fetches it' };
  return { redocly: join(folder, 'redocly'), schemathesis: join(folder, 'schemathesis') };
}
