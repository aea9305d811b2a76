/** What is wrong with what came from outside, or from a user's files. Nothing has changed when it is thrown. */

export type NesErrorCode =
  /** Not a frame: its shape alone shows it, before anything is decrypted. */
  | 'bad-frame'
  /** Not decryptable, or decrypted to what no sender makes: one code for all of it, so that nobody learns where it failed. */
  | 'unreadable'
  /** The provider knows no keys of who claims to have written. */
  | 'unknown-sender'
  | 'bad-signature'
  /** Written for somebody else: whoever could read it may have wrapped it anew. */
  | 'wrong-recipient'
  /** It has come before. */
  | 'replayed'
  | 'bad-key'
  | 'bad-username'
  /** What the provider answers is not signed by it, or is not about the user who was asked for. */
  | 'bad-answer';

export class NesError extends Error {
  override readonly name = 'NesError';

  constructor(
    readonly code: NesErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
