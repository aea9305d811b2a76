/** Bytes that come in pieces of any length, in pieces of given lengths. */

/**
 * Each piece is an array of its own. One that is not whole at the end is not handed out. Throws `excess()` when more comes than the
 * lengths add up to, and does not read on.
 */
export async function* cut(
  pieces: AsyncIterable<Uint8Array>,
  lengths: Iterable<number>,
  excess: () => Error,
): AsyncGenerator<Uint8Array, void, undefined> {
  const next = lengths[Symbol.iterator]();
  const begin = () => {
    const { done, value } = next.next();
    return done ? undefined : new Uint8Array(value);
  };
  let cutting = begin();
  let used = 0;
  for await (const piece of pieces)
    for (let at = 0; at < piece.length; ) {
      if (!cutting) throw excess();
      const part = piece.subarray(at, at + cutting.length - used);
      cutting.set(part, used);
      used += part.length;
      at += part.length;
      if (used < cutting.length) continue;
      yield cutting;
      cutting = begin();
      used = 0;
    }
}

/** `first`, then `later` as often as it takes to make `total`; the last one is what is left. */
export function* lengthsOf(total: number, first: number, later: number): Generator<number> {
  for (let left = total, length = first; left > 0; left -= length, length = later) yield Math.min(length, left);
}
