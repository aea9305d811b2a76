/** How numbers are shown to people. */

/** ms, with the unit that suits. */
export function time(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  if (ms < 1_000) return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
  return `${(ms / 1_000).toFixed(2)} s`;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
