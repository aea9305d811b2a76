/** How a file is cut: parts of one size, but for a shorter last one. S3 wants at least 5 MiB of all but the last, and lists 1,000 at once. */
import type { Part } from './port.ts';

const PART_BYTES = 8 << 20;
const MOST_PARTS = 1_000;
/** Parts of a large file are whole multiples of this. */
const STEP = 1 << 20;

export function partBytesOf(bytes: number): number {
  return Math.max(PART_BYTES, Math.ceil(bytes / MOST_PARTS / STEP) * STEP);
}

/** All parts of a file of `bytes`, at least 1. */
export function partsOf(bytes: number): Part[] {
  const size = partBytesOf(bytes);
  return Array.from({ length: Math.ceil(bytes / size) }, (_, i) => ({
    number: i + 1,
    offset: i * size,
    bytes: Math.min(size, bytes - i * size),
  }));
}
