/** The only error that a decoder or parser of this package throws, whatever its input. */
export class WireError extends Error {
  override readonly name: string = 'WireError';
  constructor(
    /** Stable, kebab-case. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
