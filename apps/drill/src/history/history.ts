/** The history file: appended to while a drill runs, read again by whoever doubts the verdict. */
import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Happening, HistoryEvent } from './events.ts';

export type Record = (happening: Happening) => void;

/** Written in the order of the calls. Who has it also sees each event, by `watch`. */
export class History {
  readonly #file: WriteStream;
  readonly #now: () => number;
  readonly #watchers: ((event: HistoryEvent) => void)[] = [];

  /** `now`: ms since 1970, and never backwards. A file of the name is replaced. */
  constructor(path: string, now: () => number) {
    this.#file = createWriteStream(path, { mode: 0o600 });
    this.#now = now;
  }

  watch(watcher: (event: HistoryEvent) => void): void {
    this.#watchers.push(watcher);
  }

  readonly record: Record = (happening) => {
    const event = { at: Math.round(this.#now()), ...happening } as HistoryEvent;
    this.#file.write(`${JSON.stringify(event)}\n`);
    for (const watch of this.#watchers) watch(event);
  };

  async close(): Promise<void> {
    this.#file.end();
    await once(this.#file, 'close');
  }
}

/** Throws an `Error` that names the line when one is no event; a last line that was cut off counts as such. */
export async function* readHistory(path: string): AsyncGenerator<HistoryEvent> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    let event: HistoryEvent;
    try {
      event = JSON.parse(line);
    } catch (cause) {
      throw new Error(`${path}: line ${number} is no event: the file is damaged, or the drill was killed`, { cause });
    }
    yield event;
  }
}
