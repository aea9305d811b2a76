/** Which time the servers have lost by a restore (docs/operations/backup.md): what came about in it may be gone, and nothing else. */
import type { HistoryEvent } from '../history/events.ts';

export interface Restore {
  /** When its backup began, ms since 1970. */
  readonly begun: number;
  /** When the backup was in the place of what the servers had. */
  readonly restored: number;
}

export class Restores {
  readonly #all: Restore[] = [];
  #begun: number | undefined;

  get count(): number {
    return this.#all.length;
  }

  get newest(): Restore | undefined {
    return this.#all.at(-1);
  }

  /** Before any other part of the checker. */
  take({ event, at }: HistoryEvent): void {
    if (event === 'backup') this.#begun = at;
    else if (event === 'restored') this.#all.push({ begun: this.#begun ?? at, restored: at });
  }

  /** The restore that may have taken away what came about at `at`. */
  lostWith(at: number): Restore | undefined {
    return this.#all.find(({ begun, restored }) => begun <= at && at <= restored);
  }
}
