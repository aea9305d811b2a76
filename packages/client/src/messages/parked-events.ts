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

  /** Of the events that are parked, in the order of their arrival. */
  numbers(): number[] {
    return this.#ledger.keys(`${TABLE}/`).map(numberOf);
  }

  /** The event as the inbox had it. */
  find(number: number): Uint8Array | undefined {
    return this.#ledger.get(orderedKey(TABLE, number));
  }

  /** Puts an event aside in `transaction`. Answers the numbers of those that had to go. */
  park(transaction: Transaction, number: number, event: Uint8Array): number[] {
    transaction.set(orderedKey(TABLE, number), event);
    const surplus = transaction.keys(`${TABLE}/`).slice(0, -PARKED_EVENTS);
    for (const key of surplus) transaction.delete(key);
    return surplus.map(numberOf);
  }

  unpark(transaction: Transaction, number: number): void {
    transaction.delete(orderedKey(TABLE, number));
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
