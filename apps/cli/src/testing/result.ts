/** What a finished command line has said. */
export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** One object a line of stdout. */
  readonly records: readonly Record<string, unknown>[];
}

export function resultOf(code: number | null, stdout: string, stderr: string): Result {
  return {
    code,
    stdout,
    stderr,
    get records() {
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}
