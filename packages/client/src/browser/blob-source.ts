/** A `File` or `Blob` of a page (File API) as something to upload: read as it is sent, never as a whole. */
import type { FileSource } from '../files/file-source.ts';

/** The part of a `Blob` that is used here. */
export interface BlobLike {
  readonly size: number;
  stream(): { getReader(): BlobReader };
}

interface BlobReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

export function blobSource(blob: BlobLike): FileSource {
  return {
    size: blob.size,
    async *read() {
      const reader = blob.stream().getReader();
      try {
        for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value!;
      } finally {
        await reader.cancel();
      }
    },
  };
}
