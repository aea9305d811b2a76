/**
 * How long an encrypted file is: docs/spec/files.md sections 1 and 2. Padding is Padmé (Nikitin et al., "Reducing Metadata Leakage
 * from Encrypted Files and Communication with PURBs", 2019), which leaks O(log log size) bits for at most 12 %.
 */

/** 1 TiB. */
export const LARGEST_FILE = 2 ** 40;
const LEAST_PADDED = 4096;
/** FLOE, with segments of 64 KiB. */
export const FILE_HEADER_BYTES = 74;
export const FILE_SEGMENT_BYTES = 65_536;
export const FILE_SEGMENT_ROOM = FILE_SEGMENT_BYTES - 32;

/** Bytes of file and padding; `size`: an integer from 0 to `LARGEST_FILE`. */
export function paddedFileSize(size: number): number {
  if (size <= LEAST_PADDED) return LEAST_PADDED;
  const exponent = bitLength(size) - 1;
  const step = 2 ** (exponent - bitLength(exponent));
  return Math.ceil(size / step) * step;
}

/** Segments of a file of this size, the last one too. */
export function fileSegments(size: number): number {
  return Math.ceil(paddedFileSize(size) / FILE_SEGMENT_ROOM);
}

/** Bytes of the encrypted file. */
export function sealedFileSize(size: number): number {
  const overhead = FILE_SEGMENT_BYTES - FILE_SEGMENT_ROOM;
  return FILE_HEADER_BYTES + paddedFileSize(size) + fileSegments(size) * overhead;
}

/** Of a chunk of an engine's file (docs/spec/files.md section 6): its length goes before it. */
export const ENGINE_CHUNK_BYTES = 65_536;
export const ENGINE_LENGTH_BYTES = 4;

/** Bytes of a file that an application's own engine has encrypted. */
export function engineFileSize(size: number): number {
  const padded = paddedFileSize(size);
  return padded + Math.ceil(padded / ENGINE_CHUNK_BYTES) * ENGINE_LENGTH_BYTES;
}

function bitLength(value: number): number {
  return value.toString(2).length;
}
