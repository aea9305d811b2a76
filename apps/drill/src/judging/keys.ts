/** One-time keys: each is handed out once (lime-key-server.md; LIME's protocol, section 4). */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';

export class Keys {
  readonly #offend: Offend;
  /** Whose it was said to be. */
  readonly #taken = new Map<string, string>();

  constructor(offend: Offend) {
    this.#offend = offend;
  }

  get count(): number {
    return this.#taken.size;
  }

  take(event: HistoryEvent): void {
    if (event.event !== 'key') return;
    const { at, device, suite, key } = event;
    const name = `${suite} ${key}`;
    const before = this.#taken.get(name);
    if (before !== undefined) this.#offend('key-twice', at, `${name} of ${before}, then of ${device}`);
    this.#taken.set(name, device);
  }
}
