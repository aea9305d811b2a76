/**
 * The newest messages of one mailbox, which only the log has: number, part, row and LSN of each, in
 * arrays instead of objects, because they live until they are acknowledged, too long for the
 * garbage of the young. The arrays stay where they are as long as they are short: one that is made
 * anew and grows again with each acknowledgement would be most of what becomes old.
 */
import { accountOfRow, copyMessage, entryOf, type LostMail, seqOf, sizeOf, timeOf } from '../log/log-record.ts';

/** Where arrays in use begin at most before they are moved to their beginning. */
const MOST_UNUSED = 64;
/** Longer arrays are given back when they are moved: a backlog is over some time. */
const MOST_KEPT = 256;
const NO_PART = Buffer.alloc(0);

export class UnsettledMails {
  #parts: Buffer[] = [];
  #rows: number[] = [];
  #lsns: number[] = [];
  #seqs: number[] = [];
  /** In use are the places from here … */
  #begin = 0;
  /** … to here. */
  #end = 0;
  /** Of all bodies. */
  bytes = 0;
  /** No message is older than this (ms). */
  oldest = Number.POSITIVE_INFINITY;

  get length(): number {
    return this.#end - this.#begin;
  }

  /** Its number is higher than those that are here. */
  push(part: Buffer, row: number, lsn: number): void {
    const end = this.#end++;
    this.#parts[end] = part;
    this.#rows[end] = row;
    this.#lsns[end] = lsn;
    this.#seqs[end] = seqOf(part, row);
    this.bytes += sizeOf(part, row);
    this.oldest = Math.min(this.oldest, timeOf(part, entryOf(part, row)));
  }

  /** Forgets the first `count`. */
  drop(count: number): void {
    const begin = this.#begin + count;
    for (let i = this.#begin; i < begin; i++) {
      this.bytes -= sizeOf(this.#parts[i] as Buffer, this.#rows[i] as number);
      this.#parts[i] = NO_PART;
    }
    this.#begin = begin;
    if (begin === this.#end) this.oldest = Number.POSITIVE_INFINITY;
    if (begin > MOST_UNUSED || begin === this.#end) this.#move();
  }

  /** Forgets the message of this number; false when it is not here. */
  remove(seq: number): boolean {
    const index = this.countUpTo(seq) - 1;
    if (index < 0 || this.seq(index) !== seq) return false;
    this.bytes -= this.size(index);
    const at = this.#begin + index;
    for (const array of [this.#parts, this.#rows, this.#lsns, this.#seqs]) array.splice(at, 1);
    this.#end--;
    return true;
  }

  /**
   * Those that were taken before `horizon` (ms), ascending; `oldest` is exact afterwards, but for
   * these.
   */
  takenBefore(horizon: number): LostMail[] {
    const found: LostMail[] = [];
    if (this.oldest >= horizon) return found;
    this.oldest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.length; i++) {
      const at = this.at(i);
      if (at < horizon) found.push({ seq: this.seq(i), size: this.size(i) });
      else this.oldest = Math.min(this.oldest, at);
    }
    return found;
  }

  /** How many have numbers up to this one. */
  countUpTo(seq: number): number {
    let low = 0;
    let high = this.length;
    if (high > 0 && this.seq(high - 1) <= seq) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.seq(middle) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many came with commits up to this one. */
  countOfCommits(lsn: number): number {
    let at = this.#begin;
    while (at < this.#end && (this.#lsns[at] as number) <= lsn) at++;
    return at - this.#begin;
  }

  seq(index: number): number {
    return this.#seqs[this.#begin + index] as number;
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

  /** That of the sender. */
  account(index: number): string {
    return accountOfRow(this.#part(index), this.#row(index));
  }

  /** Copies the message to `at` of `target`. */
  copy(index: number, target: Uint8Array, at: number): void {
    copyMessage(this.#part(index), this.#row(index), target, at);
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
      this.#lsns = this.#lsns.slice(this.#begin, this.#end);
      this.#seqs = this.#seqs.slice(this.#begin, this.#end);
    } else {
      for (let to = 0, from = this.#begin; from < this.#end; to++, from++) {
        this.#parts[to] = this.#parts[from] as Buffer;
        this.#rows[to] = this.#rows[from] as number;
        this.#lsns[to] = this.#lsns[from] as number;
        this.#seqs[to] = this.#seqs[from] as number;
      }
      for (let i = length; i < this.#end; i++) this.#parts[i] = NO_PART;
    }
    this.#begin = 0;
    this.#end = length;
  }
}
