/** What an adapter rejects with. */

/** Whether to retry is a property of the kind. An outcome that is not known to have failed is `unavailable`. */
export type StoreErrorKind = 'not-found' | 'conflict' | 'limit' | 'unavailable' | 'corrupt';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  constructor(
    readonly kind: StoreErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
  get retryable(): boolean {
    return this.kind === 'unavailable';
  }
}

/** A `conflict` over a public key that another device or account uses: two owners of one key could be taken for each other. */
export class KeyTakenError extends StoreError {
  constructor() {
    // Not whose: this text reaches whoever brought the key.
    super('conflict', 'a key that another account or device uses');
  }
}

/** `unavailable`, and known to be so for lack of space: nothing of the call has happened that counts. */
export class StoreFullError extends StoreError {
  /** For whoever asks whether the server is ready. */
  readonly reason = 'no space left on the disk of the store';
  constructor(folder: string, options?: ErrorOptions) {
    super('unavailable', `no space left for the data folder ${folder}; free some`, options);
  }
}
