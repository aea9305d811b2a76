/** The window of one socket: what was delivered and not yet acknowledged, bounded in messages and bytes. */

export interface WindowLimits {
  readonly windowMessages: number;
  readonly windowBytes: number;
}

/** Acknowledged numbers in front are dropped when they are this many: moving the rest costs something. */
const MOST_DONE = 64;
/** Arrays up to this length stay, and are filled again: new ones that grow with each acknowledgement would be garbage of the old. */
const MOST_KEPT = 256;

export class Unacknowledged {
  bytes = 0;
  /** Sequence numbers, ascending, and the bytes of each. Made with the first delivery: an idle socket has none. */
  private seqs: number[] | undefined;
  private sizes: number[] | undefined;
  /** In use are the places from here, … */
  private first = 0;
  /** … to here. */
  private end = 0;

  constructor(private readonly limits: WindowLimits) {}

  get messages(): number {
    return this.end - this.first;
  }

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
    this.bytes += bytes;
  }

  /** Takes out everything up to `upTo`, whether it is here or not. */
  acknowledge(upTo: number): void {
    const { seqs, sizes } = this;
    if (!seqs || !sizes) return;
    while (this.first < this.end && seqs[this.first]! <= upTo) this.bytes -= sizes[this.first++]!;
    if (this.first === this.end || this.first > MOST_DONE) this.move(seqs, sizes);
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
