/**
 * Which messages have been shown, by sender and signature (docs/spec/nes.md section 2): the format itself lets a broker show one again and
 * again. The newest `capacity` of each sender are known; an older one that is shown again is far in time, and marked as that.
 */
import { createHash } from 'node:crypto';
import type { Username } from './username.ts';

const CAPACITY = 10_000;
const SENDERS = 1_000;
/** Of SHA-256: nobody gains by a collision but who signed both. */
export const ID_BYTES = 16;

/** What tells a message from all others of its sender: hexadecimal, of `ID_BYTES`. */
export type MessageId = string & { readonly __messageId: never };

export function messageIdOf(signature: Uint8Array): MessageId {
  return createHash('sha256')
    .update(signature)
    .digest('hex')
    .slice(0, 2 * ID_BYTES) as MessageId;
}

export class ReplayMemory {
  readonly #capacity: number;
  /** By sender, who was heard last at the end. */
  readonly #seen = new Map<Username, Set<MessageId>>();

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** Once true for each; only after the signature was verified: nobody else may fill this memory. */
  isNew(from: Username, id: MessageId): boolean {
    const seen = this.#seen.get(from) ?? new Set();
    if (seen.has(id)) return false;
    seen.add(id);
    if (seen.size > this.#capacity) seen.delete(first(seen));
    this.#seen.delete(from);
    this.#seen.set(from, seen);
    if (this.#seen.size > SENDERS) this.#seen.delete(first(this.#seen.keys()));
    return true;
  }

  /** Whom it knows messages of. */
  knows(from: Username): boolean {
    return this.#seen.has(from);
  }

  /** Oldest first. */
  idsOf(from: Username): MessageId[] {
    return [...(this.#seen.get(from) ?? [])];
  }
}

function first<T>(values: Iterable<T>): T {
  const [value] = values;
  return value!;
}
