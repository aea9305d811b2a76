/** The history file: appended to while a drill runs, read again by whoever doubts the verdict. */
import { once } from 'node:events';
import { createWriteStream, openSync, type WriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { EVENTS, type Happening, type HistoryEvent } from './events.ts';

export type Record = (happening: Happening) => void;

/** Written in the order of the calls. Who has it also sees each event, by `watch`. */
export class History {
  readonly #file: WriteStream;
  readonly #now: () => number;
  readonly #watchers: ((event: HistoryEvent) => void)[] = [];

  /** `now`: ms since 1970, and never backwards. A file of the name is replaced. Throws when it cannot be written. */
  constructor(path: string, now: () => number) {
    this.#file = createWriteStream(path, { fd: openSync(path, 'w', 0o600) });
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

/** Throws an `Error` that names the line when one is no event that is known here; a last line that was cut off counts as such. */
export async function* readHistory(path: string): AsyncGenerator<HistoryEvent> {
  let number = 0;
  for await (const line of (await opened(path)).readLines()) {
    number += 1;
    let event: HistoryEvent | undefined;
    let cause: unknown;
    try {
      event = JSON.parse(line);
    } catch (error) {
      cause = error;
    }
    if (!event || !Object.hasOwn(EVENTS, event.event))
      throw new Error(
        `${path}: line ${number} is no event: the file is damaged, of another version, or the drill was killed`,
        { cause },
      );
    yield event;
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (cause) {
    throw new Error(`--check: ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}): name a history file`, {
      cause,
    });
  }
}
