/**
 * Where encrypted files lie: each is written once, by parts, and read by ranges. What is in them, this port knows as little as the server.
 * Promises that every adapter keeps, and `contract.ts` checks:
 * - a file is there as a whole or not at all, and a resolved promise means durable;
 * - what is once there is never other bytes: a part that comes later, and the same call again, change nothing;
 * - a part may be sent again, and may break off: then it is not there;
 * - every call may be repeated: after a lost answer the same call again ends where the first would have;
 * - time enters as an argument (milliseconds since 1970) where it decides anything.
 *
 * Parts and ranges are carried by one of two ways: through this process (`streams`), or by whoever has a URL that this process signs and
 * the place itself honours (`urls`).
 */

/**
 * `unavailable`: nobody knows, try again. `full`: no room at the place. `incomplete`: parts are missing, or not of their size. `not-found`:
 * no such upload or file (any more). `refused`: a part of another length than was declared.
 */
export type BlobErrorKind = 'not-found' | 'incomplete' | 'refused' | 'full' | 'unavailable';

export class BlobError extends Error {
  override readonly name = 'BlobError';
  constructor(
    readonly kind: BlobErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A file that is being sent. */
export interface Upload {
  /** Of letters, digits, `-` and `_`, at most 64: the file's name at the place. */
  readonly id: string;
  /** What `begin` made of it; opaque, at most 1,024 letters. */
  readonly handle: string;
  /** Declared, at least 1. */
  readonly bytes: number;
}

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  readonly bytes: number;
}

/** First and last byte, both included, within the file. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface Streams {
  readonly by: 'streams';
  /** Durable when it resolves; then it replaces what was there of that part. `refused`, `full`, `not-found`; what `body` throws is passed on. */
  writePart(upload: Upload, part: Part, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** `not-found` before the first byte. */
  read(id: string, range: ByteRange): Promise<AsyncIterable<Uint8Array>>;
}

export interface SignedUrlTerms {
  readonly now: number;
  /** Until when it is good, at most a week from now. */
  readonly until: number;
}

export interface SignedUrls {
  readonly by: 'urls';
  /** Where to PUT that part, and nothing of another length, upload or number. */
  partUrl(upload: Upload, part: Part, terms: SignedUrlTerms): Promise<string>;
  /** Where to GET the file, with `Range` or without. */
  readUrl(id: string, terms: SignedUrlTerms): Promise<string>;
}

export interface Blobs {
  readonly way: Streams | SignedUrls;
  /** Makes room for a new file; its handle. `full`. */
  begin(id: string, bytes: number, now: number): Promise<string>;
  /** Numbers of the parts that are there with their size, ascending; none when there is no such upload. */
  partsThere(upload: Upload): Promise<number[]>;
  /** From here on the file is there. `incomplete`, `not-found`. */
  complete(upload: Upload): Promise<void>;
  /** Gives up what is not complete. */
  abort(upload: Upload): Promise<void>;
  /** Undefined: no such file, or one that is not complete. */
  size(id: string): Promise<number | undefined>;
  delete(id: string): Promise<void>;
  /** Gives up uploads that began before (ms); how many. Whoever asks knows that none of them goes on. */
  sweep(before: number): Promise<number>;
  close(): Promise<void>;
}
