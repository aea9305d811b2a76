/**
 * Small arrays cut from a larger one: an array buffer of its own for each of the few small pieces of every message costs more than
 * filling them. A piece keeps its slab alive, so that only what lives shortly, as frames do, belongs here.
 */
const SLAB_BYTES = 64 * 1024;
const LARGEST_PIECE = 4 * 1024;

let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

/** `length` zero bytes that nobody else has or will have. */
export function allocate(length: number): Uint8Array<ArrayBuffer> {
  if (length > LARGEST_PIECE) return new Uint8Array(length);
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  // Not `subarray`: it asks for the class of what it cuts.
  const piece = new Uint8Array(slab.buffer, used, length);
  used += length;
  return piece;
}
