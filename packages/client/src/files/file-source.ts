/** A file to be uploaded, wherever it is: `node/disk-file.ts`, `browser/blob-source.ts`, or bytes in memory. */

export interface FileSource {
  /** Bytes, from 0. */
  readonly size: number;
  /** All of it from the beginning, in pieces of any length; again with each call: an upload that has ended begins anew. */
  read(): AsyncIterable<Uint8Array>;
}

export function bytesSource(bytes: Uint8Array): FileSource {
  return {
    size: bytes.length,
    async *read() {
      yield bytes;
    },
  };
}
