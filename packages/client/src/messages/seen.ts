/**
 * Messages that have been taken, so that a repeat never reaches the engine or the application: by (sending device, message id).
 *
 * The ring is bounded by count alone. Repeats come from an acknowledgement that was lost (at most a window of 100 messages, and the
 * relay repeats them before anything newer) or from a sender that never got its answer (its id is remembered by the relay for a day).
 * Table `seen`, numbered in order of arrival.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { numberOf, orderedKey } from '../storage/ordered-key.ts';

const TABLE = 'seen';
export const SEEN_IDS = 8_192;

const utf8 = new TextEncoder();

export class SeenIds {
  readonly #ids = new Set<string>();
  #first: number;
  #next: number;

  constructor(ledger: Ledger) {
    const keys = ledger.keys(`${TABLE}/`);
    const decoder = new TextDecoder();
    for (const key of keys) this.#ids.add(decoder.decode(ledger.get(key)));
    this.#first = keys.length > 0 ? numberOf(keys[0]!) : 0;
    this.#next = keys.length > 0 ? numberOf(keys.at(-1)!) + 1 : 0;
  }

  has(sender: DeviceId, id: string): boolean {
    return this.#ids.has(nameOf(sender, id));
  }

  /**
   * Records the ids in `transaction` and forgets the oldest ones. One transaction at a time; call the answer once it is durable, and
   * forget it when it failed.
   */
  add(transaction: Transaction, fresh: readonly { sender: DeviceId; id: string }[]): () => void {
    const names = [...new Set(fresh.map(({ sender, id }) => nameOf(sender, id)))];
    let next = this.#next;
    for (const name of names) transaction.set(orderedKey(TABLE, next++), utf8.encode(name));
    const firstKept = Math.max(this.#first, next - SEEN_IDS);
    for (let n = this.#first; n < firstKept; n++) transaction.delete(orderedKey(TABLE, n));
    return () => {
      for (const name of names) this.#ids.add(name);
      this.#next = next;
      this.#first = firstKept;
      for (const name of this.#ids) {
        if (this.#ids.size <= SEEN_IDS) break;
        this.#ids.delete(name);
      }
    };
  }
}

function nameOf(sender: DeviceId, id: string): string {
  return `${sender} ${id}`;
}
