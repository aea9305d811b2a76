/**
 * Events that the application could not take (docs/spec/client.md section 6, docs/adr/0025-parked-events.md): a handler that fails on
 * one must not keep out all that follow. Table `tries`, under the number of the inbox: with how many readings an event that is still
 * there began. Table `parked`, the same numbers: what was set aside.
 */
import type { Ledger, Records, Transaction } from '../storage/ledger.ts';
import { numberOf, orderedKey } from '../storage/ordered-key.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const TABLE = 'parked';
const TRIES_TABLE = 'tries';
/** After so many an event is parked. */
export const EVENT_TRIES = 5;
/** Beyond it the oldest go, or events that nobody can take would fill the storage. */
export const PARKED_EVENTS = 100;

export class ParkedEvents {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** In the order of their arrival; the id is the number that the event had in the inbox, the event as the inbox had it. */
  list(): { readonly id: string; readonly event: Uint8Array }[] {
    return this.#ledger.keys(`${TABLE}/`).map((key) => ({ id: String(numberOf(key)), event: this.#ledger.get(key)! }));
  }

  /** Puts an event aside in `transaction`. Answers the numbers of those that had to go. */
  park(transaction: Transaction, number: number, event: Uint8Array): number[] {
    transaction.set(orderedKey(TABLE, number), event);
    const surplus = transaction.keys(`${TABLE}/`).slice(0, -PARKED_EVENTS);
    for (const key of surplus) transaction.delete(key);
    return surplus.map(numberOf);
  }

  /** Undefined when no event of this id is parked. */
  unpark(transaction: Transaction, id: string): Uint8Array | undefined {
    const key = transaction.keys(`${TABLE}/`).find((each) => String(numberOf(each)) === id);
    if (key === undefined) return undefined;
    const event = transaction.get(key);
    transaction.delete(key);
    return event;
  }
}

/** How often event `number` was handed out and not taken, as far as that was recorded. */
export function triesOf(records: Records, number: number): number {
  const record = records.get(orderedKey(TRIES_TABLE, number));
  return record ? decodeRecord<{ tries: number }>(record).header.tries : 0;
}

/** 0: the event is done with. */
export function setTries(transaction: Transaction, number: number, tries: number): void {
  const key = orderedKey(TRIES_TABLE, number);
  if (tries > 0) transaction.set(key, encodeRecord({ tries }));
  else if (transaction.get(key)) transaction.delete(key);
}
