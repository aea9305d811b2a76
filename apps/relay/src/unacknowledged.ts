/** The window of one socket: what was delivered and not yet acknowledged, bounded in messages and bytes. */

export interface WindowLimits {
  readonly windowMessages: number;
  readonly windowBytes: number;
}

export class Unacknowledged {
  bytes = 0;
  /** Sequence number → bytes, ascending. Made with the first delivery: an idle socket has none. */
  private sizes: Map<number, number> | undefined;

  constructor(private readonly limits: WindowLimits) {}

  get messages(): number {
    return this.sizes?.size ?? 0;
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

  add(seq: number, bytes: number): void {
    this.sizes ??= new Map();
    this.sizes.set(seq, bytes);
    this.bytes += bytes;
  }

  /** Takes out everything up to `upTo`, and `also`; unknown numbers are no-ops. */
  acknowledge(upTo: number, also: readonly number[]): void {
    const { sizes } = this;
    if (!sizes) return;
    for (const [seq, bytes] of sizes) {
      if (seq > upTo) break;
      sizes.delete(seq);
      this.bytes -= bytes;
    }
    for (const seq of also) {
      this.bytes -= sizes.get(seq) ?? 0;
      sizes.delete(seq);
    }
  }
}
