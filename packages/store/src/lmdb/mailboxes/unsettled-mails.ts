/**
 * The newest messages of one mailbox, which only the journal has: flight, part and row of each, in arrays instead of objects, because they
 * live until they are acknowledged, too long for the garbage of the young. The arrays stay where they are as long as they are short: one that
 * is made anew and grows again with each acknowledgement would be most of what becomes old.
 */
import { copyMessage, entryOf, sizeOf, timeOf } from '../log/log-record.ts';

/** Where arrays in use begin at most before they are moved to their beginning. */
const MOST_UNUSED = 64;
/** Longer arrays are given back when they are moved: a backlog is over some time. */
const MOST_KEPT = 256;
const NO_PART = Buffer.alloc(0);

export class PendingMails {
  #parts: Buffer[] = [];
  #rows: number[] = [];
  #flights: number[] = [];
  /** In use are the places from here … */
  #begin = 0;
  /** … to here. */
  #end = 0;
  /** The newest flight of which something was dropped, and how many. */
  #droppedFlight = 0;
  #droppedOfFlight = 0;

  get length(): number {
    return this.#end - this.#begin;
  }

  push(part: Buffer, row: number, flight: number): void {
    const end = this.#end++;
    this.#parts[end] = part;
    this.#rows[end] = row;
    this.#flights[end] = flight;
  }

  /** Forgets the first `count`. */
  drop(count: number): void {
    const begin = this.#begin + count;
    for (let i = this.#begin; i < begin; i++) {
      const flight = this.#flights[i] as number;
      this.#droppedOfFlight = flight === this.#droppedFlight ? this.#droppedOfFlight + 1 : 1;
      this.#droppedFlight = flight;
      this.#parts[i] = NO_PART;
    }
    this.#begin = begin;
    if (begin > MOST_UNUSED || begin === this.#end) this.#move();
  }

  /** The flight of the first one, and how many came with it that were dropped; undefined when there is none. */
  get first(): { readonly flight: number; readonly dropped: number } | undefined {
    if (this.length === 0) return undefined;
    const flight = this.#flights[this.#begin] as number;
    return { flight, dropped: flight === this.#droppedFlight ? this.#droppedOfFlight : 0 };
  }

  /** How many came with flights up to this one. */
  countUpTo(flight: number): number {
    let at = this.#begin;
    while (at < this.#end && (this.#flights[at] as number) <= flight) at++;
    return at - this.#begin;
  }

  /** When it was taken, ms. */
  at(index: number): number {
    const part = this.#part(index);
    return timeOf(part, entryOf(part, this.#row(index)));
  }

  /** Bytes. */
  size(index: number): number {
    return sizeOf(this.#part(index), this.#row(index));
  }

  /** Copies the message to `at` of `target`; where it ends there. */
  copy(index: number, target: Uint8Array, at: number): number {
    return copyMessage(this.#part(index), this.#row(index), target, at);
  }

  #part(index: number): Buffer {
    return this.#parts[this.#begin + index] as Buffer;
  }

  #row(index: number): number {
    return this.#rows[this.#begin + index] as number;
  }

  #move(): void {
    const { length } = this;
    if (this.#parts.length > MOST_KEPT) {
      this.#parts = this.#parts.slice(this.#begin, this.#end);
      this.#rows = this.#rows.slice(this.#begin, this.#end);
      this.#flights = this.#flights.slice(this.#begin, this.#end);
    } else {
      for (let to = 0, from = this.#begin; from < this.#end; to++, from++) {
        this.#parts[to] = this.#parts[from] as Buffer;
        this.#rows[to] = this.#rows[from] as number;
        this.#flights[to] = this.#flights[from] as number;
      }
      for (let i = length; i < this.#end; i++) this.#parts[i] = NO_PART;
    }
    this.#begin = 0;
    this.#end = length;
  }
}
