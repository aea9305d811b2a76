/**
 * When receipts go out in messages of their own (docs/spec/chain.md section 4): after a while of quiet or many messages, one for a
 * conversation. What is written back meanwhile carries them for nothing.
 */

import type { RandomBytes } from '@sealwire/crypto/port';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Timers } from '../../runtime.ts';

const QUIET_MS = 2_000;
/** On top of it, drawn anew each time: what was written and what was answered must not be told by the moment of the answer. */
const JITTER_MS = 1_000;
const MESSAGES = 32;

export class ReceiptSchedule {
  readonly #timers: Timers;
  readonly #random: RandomBytes;
  /** Somebody has become due. */
  readonly #wake: () => void;
  readonly #due = new Set<AccountAddress>();
  readonly #waiting = new Map<AccountAddress, { heard: number; cancel: () => void }>();

  constructor(timers: Timers, random: RandomBytes, wake: () => void) {
    this.#timers = timers;
    this.#random = random;
    this.#wake = wake;
  }

  due(): Iterable<AccountAddress> {
    return this.#due;
  }

  /** Whether it is due; it is not any more. */
  take(conversation: AccountAddress): boolean {
    return this.#due.delete(conversation);
  }

  /** A message arrived whose sender is owed a receipt, or was displayed. */
  heard(conversation: AccountAddress): void {
    const waiting = this.#waiting.get(conversation);
    waiting?.cancel();
    const heard = (waiting?.heard ?? 0) + 1;
    if (heard >= MESSAGES) this.#ripen(conversation);
    else {
      const [a, b] = this.#random(2) as Uint8Array & [number, number];
      const quietMs = QUIET_MS + Math.floor((JITTER_MS * (a * 256 + b)) / 65_536);
      const cancel = this.#timers.after(quietMs, () => this.#ripen(conversation));
      this.#waiting.set(conversation, { heard, cancel });
    }
  }

  /** There is more to be told, once the user's own messages have gone. */
  again(conversation: AccountAddress): void {
    this.#due.add(conversation);
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
