/** The window of one socket: what was delivered and not yet acknowledged, bounded in messages and bytes. */

export interface WindowLimits {
  readonly windowMessages: number;
  readonly windowBytes: number;
}

/** Acknowledged numbers in front are dropped when they are this many: moving the rest costs something. */
const MOST_DONE = 64;
const ACKNOWLEDGED = -1;

export class Unacknowledged {
  messages = 0;
  bytes = 0;
  /** Sequence numbers, ascending, and the bytes of each, or that it is acknowledged. Made with the first delivery: an idle socket has none. */
  private seqs: number[] | undefined;
  private sizes: number[] | undefined;
  /** All in front of this are acknowledged. */
  private first = 0;

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
    this.seqs.push(seq);
    this.sizes.push(bytes);
    this.messages++;
    this.bytes += bytes;
  }

  /** Takes out everything up to `upTo`, and `also`; unknown numbers are no-ops. */
  acknowledge(upTo: number, also: readonly number[]): void {
    const { seqs, sizes } = this;
    if (!seqs || !sizes) return;
    while (this.first < seqs.length && seqs[this.first]! <= upTo) this.take(this.first++, sizes);
    for (const seq of also) {
      const index = seqs.indexOf(seq, this.first);
      if (index >= 0) this.take(index, sizes);
    }
    if (this.first === seqs.length || this.first > MOST_DONE) {
      seqs.splice(0, this.first);
      sizes.splice(0, this.first);
      this.first = 0;
    }
  }

  private take(index: number, sizes: number[]): void {
    const bytes = sizes[index]!;
    if (bytes === ACKNOWLEDGED) return;
    sizes[index] = ACKNOWLEDGED;
    this.messages--;
    this.bytes -= bytes;
  }
}
