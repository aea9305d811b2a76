/** An error for people: one line, and why a server was not reached. */

export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  const reason = cause?.code ?? (message === 'fetch failed' ? cause?.message : undefined);
  const text = reason === undefined ? message : `${message} (${reason})`;
  return text.replace(/\s*\n\s*/g, ' ');
}
