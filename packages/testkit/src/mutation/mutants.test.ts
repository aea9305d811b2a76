import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { runJest } from './jest-run.ts';
import { MODULES } from './modules.ts';
import { applyEdit, mutantsOf } from './mutants.ts';
import { sampleOf } from './sample.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** The sources that the mutants of `source` make. */
const mutated = (source: string) => mutantsOf(source).map((mutant) => applyEdit(source, mutant));

describe('mutants', () => {
  it.each([
    ['if (a) b();', ['if (true) b();', 'if (false) b();', 'if (a) ;']],
    ['while (a) b();', ['while (false) b();', 'while (a) ;']],
    ['x = a && b;', [';', 'x = (a);', 'x = (b);']],
    ['x = a ?? b;', [';', 'x = (a);']],
    ['x = !a;', [';', 'x = (a);']],
    ['x = a < b;', [';', 'x = a <= b;']],
    ['x = (a) === b;', [';', 'x = (a) !== b;']],
    ['x = a ? 1 : 2;', [';', 'x = true ? 1 : 2;', 'x = false ? 1 : 2;']],
    ['x += a * 2;', [';', 'x -= a * 2;', 'x += a / 2;']],
    ['i++;', [';', 'i--;']],
    ['f(true);', [';', 'f(false);']],
    ['throw a;', [';']],
    ['function f(): number { return a; }', ['function f(): number { return; }']],
    ['function f() { return undefined; }', []],
    ['function f() { return false; }', ['function f() { return true; }']],
    ['class A extends B { constructor() { super(); } }', []],
    ["import a from 'a' with { type: 'json' };\ntype B = A extends true ? 1 : 2;", []],
    ['const a = (b < c) as boolean;', ['const a = (b <= c) as boolean;']],
    ['const a = b!.c > d;', ['const a = b!.c >= d;']],
  ])('%s', (source, expected) => expect(mutated(source).sort()).toEqual([...expected].sort()));

  it('say where they are, and what they replace', () => {
    expect(mutantsOf('const a = 1;\n\nexport const b = a === 1;')).toEqual([
      { start: 33, end: 36, replacement: '!==', line: 3, kind: 'comparison', original: '===' },
    ]);
  });
});

describe('a sample', () => {
  const all = Array.from({ length: 100 }, (_, i) => i);

  it('is the same for the same seed, in order, and another for another one', () => {
    const sample = sampleOf(all, 10, seededRandom(1));
    expect(sample).toEqual(sampleOf(all, 10, seededRandom(1)));
    expect(sample).toEqual([...sample].sort((a, b) => a - b));
    expect(new Set(sample).size).toBe(10);
    expect(sample).not.toEqual(sampleOf(all, 10, seededRandom(2)));
  });

  it('is the whole where there is no more', () => expect(sampleOf(all, 1_000, seededRandom(1))).toEqual(all));
});

describe('a run', () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'sealwire-mutation-test-'));
  });
  afterEach(() => rmSync(cache, { recursive: true, force: true }));

  const tests = [join(root, 'packages/client/src/connection/back-off.test.ts')];
  const run = (text?: string) =>
    runJest({
      tests,
      cache,
      withinMs: 60_000,
      ...(text !== undefined && { replaced: { file: join(root, 'packages/client/src/connection/back-off.ts'), text } }),
    });

  it('passes without a mutant, and names the test that notices one', async () => {
    expect(await run()).toEqual({ passed: expect.any(Number) });
    const mutant = 'export const LONG_OUTAGE = 1;\nexport const backOff = () => 0;';
    expect(await run(mutant)).toEqual({ killedBy: expect.any(String), in: tests[0] });
  }, 60_000);

  it('a mutant that never ends is ended', async () => {
    const verdict = runJest({ tests, cache, withinMs: 1 });
    expect(await verdict).toEqual({ timedOut: true });
  });
});

it('every module names files and tests that exist', () => {
  const paths = Object.values(MODULES).flatMap(({ files, tests }) => [...files, ...tests]);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
