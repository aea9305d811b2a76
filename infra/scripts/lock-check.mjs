// Two things that go wrong in package-lock.json without `npm install` saying so; run by `npm test`.
//
// 1. A native tool's newest release may be on the registry before all of its platform packages are. The install works, the lock
//    file lacks those packages, and the next `npm ci` on another machine fails with "Missing … from lock file".
// 2. Download addresses tie the lock file to the registry (or mirror) of whoever wrote it. Ours carries none: integrity hashes
//    pin the contents, and each machine uses its own registry. Links to workspace folders are no addresses.
//
// Usage: node infra/scripts/lock-check.mjs [package-lock.json]   prints each finding; exit code 1 if there is any.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = process.argv[2] ?? fileURLToPath(new URL('../../package-lock.json', import.meta.url));
const { packages } = JSON.parse(readFileSync(path, 'utf8'));
const present = new Set(Object.keys(packages).map((location) => location.split('node_modules/').pop()));

const findings = Object.entries(packages).flatMap(([location, { optionalDependencies, resolved, link }]) => [
  ...Object.entries(optionalDependencies ?? {})
    .filter(([name]) => !present.has(name))
    .map(([name, version]) => `missing: ${name} ${version}, wanted by ${location}; pin an older release of it`),
  ...(resolved && !link ? [`download address: ${location} has "resolved"; remove the field`] : []),
]);

for (const finding of findings) console.log(finding);
if (findings.length === 0)
  console.log(`${Object.keys(packages).length} entries, nothing missing, no download addresses`);
process.exitCode = findings.length === 0 ? 0 : 1;
