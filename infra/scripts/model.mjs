// `npm run model`: Alloy checks the model of the membership log (packages/membership/model). Exit code 1 on a counterexample, and when a model
// without one of its rules has none. Alloy comes from Maven, by name and digest, into a cache folder; without Java or Maven the check is
// skipped aloud.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = '6.2.0';
const ARTIFACT = 'org.alloytools.alloy.dist';
const SHA256 = '6037cbeee0e8423c1c468447ed10f5fcf2f2743a2ffc39cb1c81f2905c0fdb9d';
/** The native solver is three times as fast; the Java one runs anywhere. */
const SOLVER = process.platform === 'linux' && process.arch === 'x64' ? 'glucose' : 'sat4j';
/** Each of these without that line has a counterexample: else the assertion would say nothing of it. */
const RULES = [
  ['Converges', /.*\/\/ rule: seniority\n/],
  ['RemovedStaysOut', /.*\/\/ rule: the authority knew of it\n/],
];

const source = readFileSync(
  fileURLToPath(new URL('../../packages/membership/model/membership.als', import.meta.url)),
  'utf8',
);
const folder = mkdtempSync(join(tmpdir(), 'sealwire-model-'));
try {
  const alloy = fetched();
  if (typeof alloy === 'string') process.exitCode = check(alloy) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

function check(alloy) {
  const found = answers(alloy, 'as it is', source, '*');
  const names = [...source.matchAll(/^(check|run) (\w+)/gm)];
  const wrong = names.filter(([, kind, name]) => found.get(name) !== (kind === 'check' ? 'UNSAT' : 'SAT'));
  for (const [, kind, name] of wrong)
    console.error(`model: ${kind === 'check' ? 'a counterexample to' : 'no log for'} ${name}`);
  const unproved = RULES.filter(([name, line]) => {
    const changed = source.replace(line, '\n');
    if (changed === source) throw new Error(`the model has no rule for ${name}`);
    return answers(alloy, `without a rule of ${name}`, changed, name).get(name) !== 'SAT';
  });
  for (const [name] of unproved) console.error(`model: ${name} holds without the rule that it is about`);
  if (wrong.length > 0 || unproved.length > 0 || names.length === 0) return false;
  console.log(`model: ${names.length} claims hold, ${RULES.length} wrong models are found out`);
  return true;
}

/** What Alloy says of each command. */
function answers(alloy, what, model, command) {
  const file = join(folder, 'membership.als');
  writeFileSync(file, model);
  // The native solver leaves its files where temporary ones lie.
  const args = [
    `-Djava.io.tmpdir=${folder}`,
    '-jar',
    alloy,
    'exec',
    '-f',
    '-s',
    SOLVER,
    '-c',
    command,
    '-o',
    join(folder, 'out'),
    file,
  ];
  const { stdout, stderr, status } = spawnSync('java', args, { encoding: 'utf8' });
  const rows = [...`${stdout}${stderr}`.matchAll(/^\d+\. (?:check|run) +(\w+) .*?\b(UNSAT|SAT)\b/gm)];
  if (status !== 0 || rows.length === 0) throw new Error(`Alloy cannot read the model ${what}:\n${stdout}${stderr}`);
  return new Map(rows.map(([, name, answer]) => [name, answer]));
}

/** The file, or undefined where it cannot be had. */
function fetched() {
  const cache = process.env.ALLOY_CACHE ?? join(homedir(), '.cache/sealwire/alloy');
  const jar = join(cache, `${ARTIFACT}-${VERSION}.jar`);
  if (spawnSync('java', ['-version']).status !== 0) return skipped('no Java');
  if (!existsSync(jar)) {
    mkdirSync(cache, { recursive: true });
    const artifact = `org.alloytools:${ARTIFACT}:${VERSION}`;
    const copy = ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${cache}`];
    if (
      spawnSync('mvn', copy, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0 ||
      !existsSync(jar)
    )
      return skipped('Maven has no Alloy');
  }
  if (createHash('sha256').update(readFileSync(jar)).digest('hex') === SHA256) return jar;
  rmSync(jar);
  throw new Error(`what Maven gave for Alloy ${VERSION} is not what it should be; it was deleted`);
}

function skipped(why) {
  console.log(`${why} here: the model of the membership log was not checked`);
  return undefined;
}
