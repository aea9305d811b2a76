/** One-time keys: each is handed out once (lime-key-server.md; LIME's protocol, section 4), and none of before a restore (backup.md). */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';
import type { Restores } from './restores.ts';

export class Keys {
  readonly #offend: Offend;
  readonly #restores: Restores;
  /** Whose it was said to be. */
  readonly #taken = new Map<string, string>();
  /** When its device published it last. */
  readonly #published = new Map<string, number>();

  constructor(offend: Offend, restores: Restores) {
    this.#offend = offend;
    this.#restores = restores;
  }

  get count(): number {
    return this.#taken.size;
  }

  take(event: HistoryEvent): void {
    if (event.event === 'keys-published')
      for (const key of event.keys) this.#published.set(nameOf(event.suite, key), event.at);
    if (event.event !== 'key') return;
    const { at, device, suite, key } = event;
    const name = nameOf(suite, key);
    const before = this.#taken.get(name);
    if (before !== undefined) this.#offend('key-twice', at, `${name} of ${before}, then of ${device}`);
    this.#taken.set(name, device);
    const restored = this.#restores.newest?.restored ?? 0;
    const published = this.#published.get(name);
    if (published !== undefined && published < restored)
      this.#offend('key-stale', at, `${name} of ${device}: published before the restore`);
  }
}

function nameOf(suite: string, key: string): string {
  return `${suite} ${key}`;
}
