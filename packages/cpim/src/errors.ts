/** The one error of this package's readers and writers, whatever their input. */

/**
 * - `too-large`: beyond a bound of `limits.ts`;
 * - `malformed`: not of the format;
 * - `duplicate`: a field that may come once came twice, and readers differ on which one they believe;
 * - `length-differs`: `Content-Length` is not the length of what follows;
 * - `unsupported`: needs a header that is not known here (RFC 3862 section 3.5);
 * - `unwritable`: what a writer was given cannot be said in the format.
 */
export type CpimErrorCode = 'too-large' | 'malformed' | 'duplicate' | 'length-differs' | 'unsupported' | 'unwritable';

export class CpimError extends Error {
  override readonly name = 'CpimError';
  constructor(
    readonly code: CpimErrorCode,
    message: string,
  ) {
    super(message);
  }
}
