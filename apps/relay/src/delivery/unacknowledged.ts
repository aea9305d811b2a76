/** The window of one socket: what was delivered and not yet acknowledged, bounded in messages and bytes. */

export interface WindowLimits {
  readonly windowMessages: number;
  readonly windowBytes: number;
}

/** Acknowledged numbers in front are dropped when they are this many: moving the rest costs something. */
const MOST_DONE = 64;
/** Arrays up to this length stay, and are filled again: new ones that grow with each acknowledgement would be garbage of the old. */
const MOST_KEPT = 256;
const ACKNOWLEDGED = -1;

export class Unacknowledged {
  messages = 0;
  bytes = 0;
  /** Sequence numbers, ascending, and the bytes of each, or that it is acknowledged. Made with the first delivery: an idle socket has none. */
  private seqs: number[] | undefined;
  private sizes: number[] | undefined;
  /** In use are the places from here, in front of which all are acknowledged, … */
  private first = 0;
  /** … to here. */
  private end = 0;

  constructor(private readonly limits: WindowLimits) {}

  /** Room left in messages and bytes; may be negative in bytes, since a first message always fits. */
  get roomMessages(): number {
    return this.limits.windowMessages - this.messages;
  }
  get roomBytes(): number {
    return this.limits.windowBytes - this.bytes;
  }

  fits(bytes: number): boolean {
    return this.messages === 0 || (this.roomMessages > 0 && bytes <= this.roomBytes);
  }

  /** Half empty: worth reading another page of the mailbox, rather than one message for each acknowledgement. */
  get isRoomy(): boolean {
    return this.messages * 2 <= this.limits.windowMessages && this.bytes * 2 <= this.limits.windowBytes;
  }

  /** `seq` is larger than all before. */
  add(seq: number, bytes: number): void {
    this.seqs ??= [];
    this.sizes ??= [];
    this.seqs[this.end] = seq;
    this.sizes[this.end++] = bytes;
    this.messages++;
    this.bytes += bytes;
  }

  /** Takes out everything up to `upTo`, and `also`; unknown numbers are no-ops. */
  acknowledge(upTo: number, also: readonly number[]): void {
    const { seqs, sizes } = this;
    if (!seqs || !sizes) return;
    while (this.first < this.end && seqs[this.first]! <= upTo) this.take(this.first++, sizes);
    for (const seq of also) {
      const index = this.indexOf(seq, seqs);
      if (index >= 0) this.take(index, sizes);
    }
    if (this.first === this.end || this.first > MOST_DONE) this.move(seqs, sizes);
  }

  private take(index: number, sizes: number[]): void {
    const bytes = sizes[index]!;
    if (bytes === ACKNOWLEDGED) return;
    sizes[index] = ACKNOWLEDGED;
    this.messages--;
    this.bytes -= bytes;
  }

  private indexOf(seq: number, seqs: readonly number[]): number {
    const index = seqs.indexOf(seq, this.first);
    return index < this.end ? index : -1;
  }

  private move(seqs: number[], sizes: number[]): void {
    const { first, end } = this;
    if (seqs.length > MOST_KEPT) {
      this.seqs = seqs.slice(first, end);
      this.sizes = sizes.slice(first, end);
    } else {
      // Not `copyWithin`, which V8 does not optimise for arrays.
      for (let to = 0, from = first; from < end; to++, from++) {
        seqs[to] = seqs[from]!;
        sizes[to] = sizes[from]!;
      }
    }
    this.first = 0;
    this.end = end - first;
  }
}
