/**
 * When receipts go out in messages of their own (docs/spec/chain.md section 4): after a while of quiet or many messages, one for a
 * conversation. What is written back meanwhile carries them for nothing.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Timers } from '../../runtime.ts';

const QUIET_MS = 2_000;
const MESSAGES = 32;

export class ReceiptSchedule {
  readonly #timers: Timers;
  /** Somebody has become due. */
  readonly #wake: () => void;
  readonly #due = new Set<AccountAddress>();
  readonly #waiting = new Map<AccountAddress, { heard: number; cancel: () => void }>();

  constructor(timers: Timers, wake: () => void) {
    this.#timers = timers;
    this.#wake = wake;
  }

  due(): Iterable<AccountAddress> {
    return this.#due;
  }

  /** Whether it is due; it is not any more. */
  take(conversation: AccountAddress): boolean {
    return this.#due.delete(conversation);
  }

  /** A message arrived whose sender is owed a receipt. */
  heard(conversation: AccountAddress): void {
    const waiting = this.#waiting.get(conversation);
    waiting?.cancel();
    const heard = (waiting?.heard ?? 0) + 1;
    if (heard >= MESSAGES) this.#ripen(conversation);
    else {
      const cancel = this.#timers.after(QUIET_MS, () => this.#ripen(conversation));
      this.#waiting.set(conversation, { heard, cancel });
    }
  }

  /** A new link: what earlier ones left owing is due at once. */
  online(owing: readonly AccountAddress[]): void {
    for (const conversation of owing) this.#due.add(conversation);
  }

  offline(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
    this.#due.clear();
  }

  #ripen(conversation: AccountAddress): void {
    this.#waiting.delete(conversation);
    this.#due.add(conversation);
    this.#wake();
  }
}
