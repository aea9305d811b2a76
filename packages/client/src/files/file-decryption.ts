/**
 * Opens an encrypted file as it comes, or a part of it: docs/spec/files.md section 5. What is not the file that the descriptor names is
 * refused before a byte of it is handed out; the end of the file is handed out only when all of it, padding and digest too, was right.
 */
import { FLOE_HEADER_BYTES, type FloePrimitives, FloeReader } from '@sealwire/crypto/floe';
import type { SealedFile } from '@sealwire/wire/file-descriptor';
import { FILE_SEGMENT_BYTES, FILE_SEGMENT_ROOM, fileSegments, sealedFileSize } from '@sealwire/wire/file-sizes';
import { ClientError } from '../errors.ts';
import { cut, lengthsOf } from './cut.ts';
import { FILE_AD, type FileParts } from './file-encryption.ts';

/** Answers the bytes of the encrypted file from `from` up to `to`, not included, in pieces of any length. */
export type ReadSealed = (from: number, to: number) => AsyncIterable<Uint8Array>;

/** `sealed`: pieces of any length. Throws `bad-file`: keep what came under a temporary name until the end. */
export async function* decryptFile(
  { floe, sha256Stream }: Pick<FileParts, 'floe' | 'sha256Stream'>,
  file: SealedFile,
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  requireSizes(file);
  const hash = sha256Stream();
  const last = fileSegments(file.size) - 1;
  let reader: FloeReader | undefined;
  let position = 0;
  let held: Uint8Array | undefined;
  const lengths = lengthsOf(file.sealedSize, FLOE_HEADER_BYTES, FILE_SEGMENT_BYTES);
  // A byte more is refused here, one less by the digest.
  for await (const record of cut(sealed, lengths, badFile)) {
    hash.update(record);
    if (!reader) {
      reader = await openHeader(floe, file, record);
      continue;
    }
    const plaintext = await openSegment(reader, record, position, last);
    const data = plaintext.subarray(0, Math.max(0, file.size - position * FILE_SEGMENT_ROOM));
    position++;
    if (data.length === 0) continue;
    if (held) yield held;
    held = data;
  }
  if (!floe.equal(hash.digest(), file.digest)) throw badFile();
  if (held) yield held;
}

/**
 * The bytes from `start` up to `end` (not included), by the segments that they are in. Each is known to be the sender's, at this
 * place; what was not asked for is not looked at, nor the digest. Throws `bad-file`.
 */
export async function* decryptRange(
  floe: FloePrimitives,
  file: SealedFile,
  read: ReadSealed,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  requireSizes(file);
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > file.size)
    throw new ClientError('bad-file', `this file has bytes from 0 to ${file.size}`);
  if (start === end) return;
  let reader: FloeReader | undefined;
  for await (const header of cut(read(0, FLOE_HEADER_BYTES), [FLOE_HEADER_BYTES], badFile))
    reader = await openHeader(floe, file, header);
  if (!reader) throw badFile();
  const last = fileSegments(file.size) - 1;
  let position = Math.floor(start / FILE_SEGMENT_ROOM);
  const from = FLOE_HEADER_BYTES + position * FILE_SEGMENT_BYTES;
  const to = Math.min(file.sealedSize, FLOE_HEADER_BYTES + Math.ceil(end / FILE_SEGMENT_ROOM) * FILE_SEGMENT_BYTES);
  const lengths = lengthsOf(to - from, FILE_SEGMENT_BYTES, FILE_SEGMENT_BYTES);
  for await (const segment of cut(read(from, to), lengths, badFile)) {
    const plaintext = await openSegment(reader, segment, position, last);
    const first = position++ * FILE_SEGMENT_ROOM;
    yield plaintext.subarray(Math.max(0, start - first), end - first);
  }
  if (position * FILE_SEGMENT_ROOM < end) throw badFile();
}

/** A decoded descriptor has passed this; one that was made by hand may not have. */
function requireSizes({ size, sealedSize }: SealedFile): void {
  if (sealedSize !== sealedFileSize(size)) throw badFile();
}

async function openHeader(floe: FloePrimitives, { key }: SealedFile, header: Uint8Array): Promise<FloeReader> {
  try {
    return await FloeReader.start(floe, key, FILE_AD, header);
  } catch (cause) {
    throw badFile(cause);
  }
}

async function openSegment(
  reader: FloeReader,
  segment: Uint8Array,
  position: number,
  last: number,
): Promise<Uint8Array> {
  try {
    return await reader.decryptSegment(segment, position, position === last);
  } catch (cause) {
    throw badFile(cause);
  }
}

export function badFile(cause?: unknown): ClientError {
  return new ClientError('bad-file', 'this is not the whole file that was sent: fetch it again, or ask the sender', {
    cause,
  });
}
