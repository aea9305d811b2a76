/** What the relay remembers in a bounded way: the entries that were used last. */
import { LRUCache } from 'lru-cache';

/**
 * At most `most` entries. By `max` the library would set room aside for all of them when it is made (2 MB and 20 ms for 100,000, a dozen
 * times in a relay that starts); by sizes its room grows with what is in it.
 */
export function lastUsed<K extends string, V extends object | true>(most: number): LRUCache<K, V> {
  return new LRUCache({ maxSize: most, sizeCalculation: () => 1 });
}
