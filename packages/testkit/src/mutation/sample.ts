/** A part of a list that is the same for the same seed, in the order of the list. */
import type { RandomBytes } from '@sealwire/crypto/port';

export function sampleOf<T>(all: readonly T[], size: number, random: RandomBytes): T[] {
  const drawn = all.map((item, at) => ({ item, at, lot: new DataView(random(4).buffer).getUint32(0) }));
  const taken = drawn.sort((a, b) => a.lot - b.lot || a.at - b.at).slice(0, size);
  return taken.sort((a, b) => a.at - b.at).map(({ item }) => item);
}
