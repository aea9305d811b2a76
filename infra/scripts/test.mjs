// `npm test`: types, lint, layer rules, the lock file, then every test; the last line is `N passed, N failed, N skipped`.
// Everything that can fail runs, so that one look shows all that is wrong; the exit code is 1 if anything did.
// Arguments go to Jest: `npm test -- packages/lime`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const bin = (name) => join(root, 'node_modules', '.bin', name);

function run(title, command, args, environment = {}) {
  console.log(`\n── ${title}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
  return status === 0;
}

const checks = [
  ['types', bin('tsc'), ['-p', 'tsconfig.check.json']],
  ['lint', bin('biome'), ['check', '.']],
  ['layers', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', 'packages', 'apps']],
  ['lock file', process.execPath, ['infra/scripts/lock-check.mjs']],
];
const failedChecks = checks.filter(([title, command, args]) => !run(title, command, args)).map(([title]) => title);

const reports = mkdtempSync(join(tmpdir(), 'sealwire-test-'));
const report = join(reports, 'jest.json');
const testsPassed = run(
  'tests',
  process.execPath,
  [join(root, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${report}`, ...process.argv.slice(2)],
  { NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' },
);
const result = JSON.parse(readFileSync(report, 'utf8'));
rmSync(reports, { recursive: true, force: true });

const skipped = result.testResults.flatMap((file) =>
  file.assertionResults
    .filter(({ status }) => status === 'pending' || status === 'todo')
    .map(({ fullName }) => fullName),
);
if (skipped.length) console.log(`\n── skipped\n${skipped.map((name) => `  ${name}`).join('\n')}`);
if (failedChecks.length) console.log(`\nfailed checks: ${failedChecks.join(', ')}`);

// A test file that could not even be loaded counts as one failure; so does each failed check.
const passed = result.numPassedTests + checks.length - failedChecks.length;
const failed = result.numFailedTests + result.numRuntimeErrorTestSuites + failedChecks.length;
console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = failed === 0 && testsPassed ? 0 : 1;
