/** One Jest process over a list of test files, in that order, with one file of the tree replaced; it ends at the first failure. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const root = pathOf('../../../../');
const jest = pathOf('../../../../node_modules/jest/bin/jest.js');
const config = pathOf('./jest.config.mjs');

export interface Replaced {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

export interface JestRun {
  /** Absolute, in the order to run them. */
  readonly tests: readonly string[];
  readonly replaced?: Replaced;
  readonly withinMs: number;
  /** Where Jest keeps what it has compiled. */
  readonly cache: string;
}

/** What ended it: the first test that failed, the time, or nothing. */
export type Verdict =
  /** The test's title, and its file. */
  { readonly killedBy: string; readonly in: string } | { readonly timedOut: true } | { readonly passed: number };

/** Throws an Error with Jest's own words when it could not even begin. */
export async function runJest({ tests, replaced, withinMs, cache }: JestRun): Promise<Verdict> {
  const arguments_ = ['-c', config, '-i', '--silent', '--cacheDirectory', cache, '--runTestsByPath', ...tests];
  const child = spawn(process.execPath, ['--experimental-vm-modules', '--no-warnings', jest, ...arguments_], {
    cwd: root,
    // A group of its own, so that what the tests have started ends with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      MUTATION_ORDER: JSON.stringify(tests),
      ...(replaced && { MUTANT_FILE: replaced.file, MUTANT_TEXT: replaced.text }),
    },
  });
  let timedOut = false;
  const endGroup = () => {
    try {
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  };
  process.prependListener('exit', endGroup);
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup();
  }, withinMs);
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  clearTimeout(timer);
  process.off('exit', endGroup);
  endGroup();
  if (timedOut) return { timedOut };
  const verdict = output.split('\n').findLast((line) => line.startsWith('{'));
  if (!verdict) throw new Error(`Jest did not run: ${complaints || output}`);
  return JSON.parse(verdict);
}
