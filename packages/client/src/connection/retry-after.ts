/** The `Retry-After` header (RFC 9110 section 10.2.3), as far as our servers use it: whole seconds. */

/** Milliseconds; undefined when there is none, or when it is not a number of seconds. */
export function retryAfterOf(header: string | null | undefined): number | undefined {
  return header && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}
