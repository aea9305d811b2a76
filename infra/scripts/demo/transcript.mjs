// What the demo prints, and the checks that decide its exit code.
const started = performance.now();

export class DemoError extends Error {}

export function chapter(title) {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
  process.stdout.write(`\n${seconds} s  ${title}\n`);
}

export function tell(text) {
  process.stdout.write(`           ${text}\n`);
}

/** A claim of the story: printed when it holds, the end of the story when it does not. */
export function check(holds, claim, detail = '') {
  if (!holds) throw new DemoError(detail ? `${claim}\n${detail.trimEnd()}` : claim);
  process.stdout.write(`       ok  ${claim}\n`);
}
