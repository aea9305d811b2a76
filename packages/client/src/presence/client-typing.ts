/** Who types, as the application tells and hears it (docs/spec/presence.md section 4). */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Typing, TypingEvent } from './typing.ts';

export class ClientTyping {
  readonly #typing: Typing;
  readonly #addressOf: (to: string) => AccountAddress;

  constructor(typing: Typing, addressOf: (to: string) => AccountAddress) {
    this.#typing = typing;
    this.#addressOf = addressOf;
  }

  /**
   * The user types in the conversation with `to`, or does not any more: told where both sides have switched it on (`ClientPresence.set`) and
   * have written to each other, at most once in five seconds, so that an application may say it with each key. Throws `bad-address`.
   */
  say(to: string, typing: boolean): void {
    this.#typing.say(this.#addressOf(to), typing);
  }

  /** Calls `listener` when somebody begins to type, and when it is over; the answer ends that. */
  onTyping(listener: (event: TypingEvent) => void): () => void {
    return this.#typing.onTyping(listener);
  }
}
