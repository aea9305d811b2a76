/** One-time keys: each is handed out once (lime-key-server.md; LIME's protocol, section 4). */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';

export class Keys {
  readonly #offend: Offend;
  readonly #taken = new Set<string>();

  constructor(offend: Offend) {
    this.#offend = offend;
  }

  get count(): number {
    return this.#taken.size;
  }

  take(event: HistoryEvent): void {
    if (event.event !== 'key') return;
    const name = `${event.device} ${event.suite} ${event.key}`;
    if (this.#taken.has(name)) this.#offend('key-twice', event.at, name);
    this.#taken.add(name);
  }
}
