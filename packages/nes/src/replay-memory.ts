/**
 * Which messages have been shown, by sender and signature (docs/spec/nes.md section 2): the format itself lets a broker show one again and
 * again. The newest `capacity` of each sender are known; an older one that is shown again is far in time, and marked as that.
 */
import type { Username } from './username.ts';

const CAPACITY = 10_000;
const SENDERS = 1_000;

export class ReplayMemory {
  readonly #capacity: number;
  /** By sender, who was heard last at the end. */
  readonly #seen = new Map<Username, Set<string>>();

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** Once true for each; only after the signature was verified: nobody else may fill this memory. */
  isNew(from: Username, signature: Uint8Array): boolean {
    const seen = this.#seen.get(from) ?? new Set();
    const name = Buffer.from(signature).toString('base64');
    if (seen.has(name)) return false;
    seen.add(name);
    if (seen.size > this.#capacity) seen.delete(first(seen));
    this.#seen.delete(from);
    this.#seen.set(from, seen);
    if (this.#seen.size > SENDERS) this.#seen.delete(first(this.#seen.keys()));
    return true;
  }
}

function first<T>(values: Iterable<T>): T {
  const [value] = values;
  return value!;
}
