/** A file with its padding (docs/spec/files.md section 2), in the pieces that are encrypted one by one. */
import { LARGEST_FILE, paddedFileSize } from '@sealwire/wire/file-sizes';
import { ClientError } from '../errors.ts';

/** Throws `bad-file` for a size that no file has. */
export function requireFileSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0 || size > LARGEST_FILE)
    throw new ClientError('bad-file', `a file has at most ${LARGEST_FILE} bytes`);
}

/**
 * Pieces of `length` bytes, but for a shorter last one; a piece is overwritten when the next one is asked for. Throws `file-changed` when
 * `plaintext` has not `size` bytes.
 */
export async function* paddedPieces(
  plaintext: AsyncIterable<Uint8Array>,
  size: number,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const piece = new Uint8Array(length);
  let used = 0;
  let read = 0;
  for await (const some of plaintext) {
    read += some.length;
    if (read > size) throw changed();
    for (let at = 0; at < some.length; ) {
      const part = some.subarray(at, at + piece.length - used);
      piece.set(part, used);
      used += part.length;
      at += part.length;
      if (used < piece.length) continue;
      yield piece;
      used = 0;
    }
  }
  if (read !== size) throw changed();
  let left = paddedFileSize(size) - (read - used);
  for (; left > 0; left -= piece.length) {
    piece.fill(0, used);
    yield piece.subarray(0, left);
    used = 0;
  }
}

function changed(): ClientError {
  return new ClientError('file-changed', 'the file changed its length while it was read: send it again');
}
