/**
 * `npm run mutation -- --only=NAME --sample=N --seed=N`: makes mutants of the modules (docs/testing.md), runs the tests that should notice,
 * and prints who survived and the score. Not in the gate: it takes minutes a module.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { runJest } from './jest-run.ts';
import { MODULES, type Module } from './modules.ts';
import { applyEdit, type Mutant, mutantsOf } from './mutants.ts';
import { sampleOf } from './sample.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const BASELINE_WITHIN_MS = 15 * 60_000;
// A mutant that never ends is noticed, too: after this multiple of the time without it, and some more for a machine that is busy.
const PATIENCE = 4;
const PATIENCE_MS = 20_000;

interface Source {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}
interface Candidate {
  readonly source: Source;
  readonly mutant: Mutant;
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, sample: { type: 'string' }, seed: { type: 'string', default: '1' } },
});
const names = values.only?.split(',') ?? Object.keys(MODULES);
const unknown = names.find((name) => !(name in MODULES));
if (unknown !== undefined) {
  console.error(`there is no module ${unknown}: take one of ${Object.keys(MODULES).join(', ')}`);
  process.exit(2);
}

const sample = values.sample === undefined ? Number.POSITIVE_INFINITY : Number(values.sample);
if (!(sample >= 1)) {
  console.error(`--sample=${values.sample} is no number of mutants: take 1 or more`);
  process.exit(2);
}

const cache = mkdtempSync(join(tmpdir(), 'sealwire-mutation-'));
process.on('exit', () => rmSync(cache, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const scores: string[] = [];
for (const name of names) scores.push(await examine(name, MODULES[name]!));
console.log(`\n| module | mutants | noticed | score |\n| --- | ---: | ---: | ---: |\n${scores.join('\n')}`);

/** A row of the table of scores. */
async function examine(name: string, module: Module): Promise<string> {
  const all = candidatesOf(module);
  const candidates = sampleOf(all, sample, seededRandom(`${values.seed} ${name}`));
  const tests = testsOf(module);
  const begun = performance.now();
  const baseline = await runJest({ tests, withinMs: BASELINE_WITHIN_MS, cache });
  if (!('passed' in baseline))
    throw new Error(`the tests of ${name} fail without a mutant: ${JSON.stringify(baseline)}`);
  const baselineMs = performance.now() - begun;
  console.log(
    `\n── ${name}: ${candidates.length} of ${all.length} mutants, ${tests.length} test files, ${(baselineMs / 1_000).toFixed(0)} s without a mutant`,
  );

  let order = tests;
  let noticed = 0;
  for (const { source, mutant } of candidates) {
    const replaced = { file: source.file, text: applyEdit(source.text, mutant) };
    const verdict = await runJest({ tests: order, replaced, withinMs: baselineMs * PATIENCE + PATIENCE_MS, cache });
    if ('passed' in verdict) {
      console.log(`SURVIVED  ${wordsFor(source, mutant)}`);
      continue;
    }
    noticed += 1;
    const by = 'timedOut' in verdict ? 'its time' : verdict.killedBy;
    console.log(`noticed   ${wordsFor(source, mutant)}   by ${by}`);
    // Who noticed the last one is likely to notice the next one, a few lines below.
    if ('in' in verdict) order = [verdict.in, ...tests.filter((test) => test !== verdict.in)];
  }
  const score = candidates.length === 0 ? 100 : (100 * noticed) / candidates.length;
  return `| \`${name}\` | ${candidates.length} | ${noticed} | ${score.toFixed(0)} % |`;
}

function candidatesOf({ files }: Module): Candidate[] {
  const paths = files.flatMap((path) => filesIn(path, (file) => file.endsWith('.ts') && !file.endsWith('.test.ts')));
  return paths.flatMap((file) => {
    const source = { file, text: readFileSync(file, 'utf8') };
    return mutantsOf(source.text).map((mutant) => ({ source, mutant }));
  });
}

function testsOf({ tests }: Module): string[] {
  return [...new Set(tests.flatMap((path) => filesIn(path, (file) => file.endsWith('.test.ts'))))];
}

/** `path`, or what is in it when it is a folder; absolute, in alphabetic order. */
function filesIn(path: string, accept: (file: string) => boolean): string[] {
  const absolute = join(root, path);
  if (absolute.endsWith('.ts')) return [absolute];
  return readdirSync(absolute, { recursive: true, encoding: 'utf8' })
    .filter(accept)
    .sort()
    .map((file) => join(absolute, file));
}

function wordsFor({ file }: Source, { line, kind, original, replacement }: Mutant): string {
  const short = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text).replaceAll(/\s+/g, ' ');
  return `${relative(root, file)}:${line} ${kind}: ${short(original)} → ${short(replacement)}`;
}
