// `npm test`: types, lint, layer rules, the lock file, then every test; the last line is `N passed, N failed, N skipped`.
// Everything that can fail runs, so that one look shows all that is wrong; the exit code is 1 if anything did.
// Arguments go to Jest: `npm test -- packages/lime`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { node24 } from './node-24.mjs';

/** What depends on the platform, and is quick: primitives, native modules, sockets, files. */
const ON_BOTH = [
  'packages/crypto/src/(aead|differential|hashes|node|random)',
  'packages/client/src/(node|storage)/',
  'packages/blobs/src/files',
  'apps/relay/src/sockets/(socket-writer|unmasking)',
  // How quick they are the other run has seen.
  '--testTimeout=20000',
];

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

/** Jest's report; `isGood` is its own word. */
function tests(title, node, args) {
  const report = join(reports, `${title}.json`);
  const isGood = run(
    title,
    node,
    [join(root, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${report}`, ...args],
    {
      NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
      // Programs that tests start as `node`.
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    },
  );
  return { ...JSON.parse(readFileSync(report, 'utf8')), isGood };
}

const args = process.argv.slice(2);
const results = [tests('tests', process.execPath, args)];
// Chosen tests run on this Node alone.
if (args.length === 0 && !process.version.startsWith('v24.')) {
  const { path, reason } = node24();
  if (path) results.push(tests('tests on Node 24', path, ON_BOTH));
  else console.log(`\n── tests on Node 24: skipped, ${reason}`);
}
rmSync(reports, { recursive: true, force: true });

const skipped = results[0].testResults.flatMap((file) =>
  file.assertionResults
    .filter(({ status }) => status === 'pending' || status === 'todo')
    .map(({ fullName }) => fullName),
);
if (skipped.length) console.log(`\n── skipped\n${skipped.map((name) => `  ${name}`).join('\n')}`);
if (failedChecks.length) console.log(`\nfailed checks: ${failedChecks.join(', ')}`);

// A test file that could not even be loaded counts as one failure; so does each failed check.
const sum = (of) => results.reduce((total, result) => total + of(result), 0);
const passed = sum((result) => result.numPassedTests) + checks.length - failedChecks.length;
const failed = sum((result) => result.numFailedTests + result.numRuntimeErrorTestSuites) + failedChecks.length;
console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = failed === 0 && results.every(({ isGood }) => isGood) ? 0 : 1;
