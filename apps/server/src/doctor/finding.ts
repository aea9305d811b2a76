/** What one check of `doctor` says. The form is that of `sealwire doctor`. */
export interface Finding {
  readonly name: string;
  readonly detail: string;
  /** What to do about it; absent when all is well. */
  readonly fix?: string;
}

/** Of whatever failed: its first line, which our own errors make one that names the fix. */
export function wordsOf(error: unknown): string {
  const { name, message, code, cause } = error as Error & { code?: string; cause?: { code?: string } };
  if (name === 'TimeoutError' || name === 'AbortError') return 'no answer in time';
  const known = code ?? cause?.code;
  const [line = ''] = message.split('\n');
  return known === undefined || line.includes(known) ? line : `${line} (${known})`;
}
