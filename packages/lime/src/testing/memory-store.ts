/** A LimeStore in memory. */
import type { LimeChange, LimeStore } from '../records/store.ts';

export class MemoryLimeStore implements LimeStore {
  /** Private: records hold keys, and an inspected store must not show them. */
  readonly #records: Map<string, Uint8Array>;

  constructor(records: Iterable<readonly [string, Uint8Array]> = []) {
    this.#records = new Map(records);
  }

  load(key: string): Uint8Array | undefined {
    return this.#records.get(key);
  }

  keys(prefix: string): string[] {
    return [...this.#records.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  save(changes: readonly LimeChange[]): void {
    for (const { key, value } of changes) {
      if (value) this.#records.set(key, value);
      else this.#records.delete(key);
    }
  }
}
