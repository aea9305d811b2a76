/**
 * Small arrays cut from a larger one: an array buffer of its own for each of the few small pieces of every message costs more than
 * filling them. A piece keeps its slab alive, so that only what lives shortly, as frames do, belongs here.
 */
const SLAB_BYTES = 64 * 1024;
const LARGEST_PIECE = 4 * 1024;

/** Zero bytes of `bytes`, from `begin` on, that nobody else has or will have. */
export interface Room {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly begin: number;
}

let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

/** For who does not know yet how many of these `length` bytes will be an array: a view costs more than a short frame's contents. */
export function takeRoom(length: number): Room {
  if (length > LARGEST_PIECE) return { bytes: new Uint8Array(length), begin: 0 };
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const begin = used;
  used += length;
  return { bytes: slab, begin };
}

/** `length` zero bytes that nobody else has or will have. */
export function allocate(length: number): Uint8Array<ArrayBuffer> {
  const { bytes, begin } = takeRoom(length);
  // Not `subarray`: it asks for the class of what it cuts.
  return new Uint8Array(bytes.buffer, begin, length);
}
