/** Sets of small numbers, a bit each: which events of a log are before another. */

export type Places = Uint32Array;

export function hasPlace(places: Places, place: number): boolean {
  // Beyond the end: undefined, which counts as no bit.
  return ((places[place >>> 5]! >>> (place & 31)) & 1) === 1;
}

/** `members`, and all that is in `sets`, which have places below `size` alone. */
export function unionOf(sets: readonly Places[], members: readonly number[], size: number): Places {
  const union = new Uint32Array((size + 31) >>> 5);
  for (const set of sets) for (let i = 0; i < set.length; i++) union[i]! |= set[i]!;
  for (const place of members) union[place >>> 5]! |= 1 << (place & 31);
  return union;
}
