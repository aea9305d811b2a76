/** Which comparisons are under way, by id and by person, who is told of their changes, and when their time is over. */
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { AccountAddress } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { Timers } from '../runtime.ts';
import type { Dialogue } from './dialogue.ts';

const DIALOGUE_MS = 5 * 60_000;
/** Of all people together: who has so many to answer hears of no further one. */
const DIALOGUES = 16;

interface Open {
  readonly dialogue: Dialogue;
  readonly cancelTimer: () => void;
}

export class OpenDialogues {
  readonly #timers: Timers;
  readonly #late: (dialogue: Dialogue) => void;
  /** By id, base64url. One that ended well stays for its time: its last word may have to be said again. */
  readonly #open = new Map<string, Open>();
  readonly #listeners = new Set<(dialogue: Dialogue) => void>();

  /** `late`: is called when the time of one is over. */
  constructor(timers: Timers, late: (dialogue: Dialogue) => void) {
    this.#timers = timers;
    this.#late = late;
  }

  add(dialogue: Dialogue): void {
    const cancelTimer = this.#timers.after(DIALOGUE_MS, () => this.#late(dialogue));
    this.#open.set(encodeBase64url(dialogue.id), { dialogue, cancelTimer });
  }

  remove(dialogue: Dialogue): void {
    const id = encodeBase64url(dialogue.id);
    this.#open.get(id)?.cancelTimer();
    this.#open.delete(id);
  }

  all(): Dialogue[] {
    return [...this.#open.values()].map(({ dialogue }) => dialogue);
  }

  /** Those that are not over. */
  list(): Dialogue[] {
    return this.all().filter(({ isOver }) => !isOver);
  }

  get isFull(): boolean {
    return this.list().length >= DIALOGUES;
  }

  find(id: Uint8Array): Dialogue | undefined {
    return this.#open.get(encodeBase64url(id))?.dialogue;
  }

  with(address: AccountAddress): Dialogue | undefined {
    return this.list().find(({ peer }) => peer === address);
  }

  /** That is not over and in one of `steps`, if there are any. Throws `verification-over`. */
  at(id: string, ...steps: Dialogue['step'][]): Dialogue {
    const dialogue = this.#open.get(id)?.dialogue;
    if (dialogue && !dialogue.isOver && (steps.length === 0 || steps.includes(dialogue.step))) return dialogue;
    throw new ClientError(
      'verification-over',
      'there is no such comparison any more, or it is not that far: begin a new one',
    );
  }

  /** Whether a request that has waited so long, ms, is of any use. */
  isTooOld(age: number): boolean {
    return age > DIALOGUE_MS;
  }

  onChange(listener: (dialogue: Dialogue) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  changed(dialogue: Dialogue): void {
    for (const told of [...this.#listeners]) told(dialogue);
  }
}
