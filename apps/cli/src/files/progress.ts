/**
 * How far a file has come: a bar with rate and time left on a terminal (stderr), records with `--json` (stdout), nothing in a pipe. Whoever
 * is told never waits for whoever reads: what cannot be written at once is left out, and the next one says more.
 */
import { clearLine, cursorTo } from 'node:readline';
import type { Writable } from 'node:stream';
import type { Output } from '../output.ts';
import { printable } from '../printable.ts';
import { byteCount } from './byte-count.ts';

const DRAW_EVERY_MS = 100;
const RECORD_EVERY_MS = 1_000;
/** The rate is that of the last seconds, or a link that was lost and came back would spoil it for long. */
const RATE_WINDOW_MS = 5_000;
const BAR_CELLS = 24;
const COLUMNS = 80;

export interface ProgressOptions {
  readonly output: Output;
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly now: () => number;
  readonly kind: 'upload' | 'download';
  readonly name: string;
}

export class Progress {
  readonly #options: ProgressOptions;
  readonly #samples: { readonly at: number; readonly done: number }[] = [];
  #told = Number.NEGATIVE_INFINITY;
  #writing = false;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** `done` of `all` bytes, as often as they are known. It may go back: what a lost link took along is sent again. */
  readonly report = (done: number, all: number): void => {
    const { output, stderr, now, kind, name } = this.#options;
    if (!output.json && stderr.isTTY !== true) return;
    const at = now();
    const due = at - this.#told >= (output.json ? RECORD_EVERY_MS : DRAW_EVERY_MS);
    if (!due && done < all) return;
    this.#told = at;
    if (output.json) this.#record({ event: `${kind}-progress`, name, bytes: done, of: all });
    else this.#draw(at, done, all);
  };

  /** The line of the bar is free again, whatever became of the transfer. */
  end(): void {
    if (!this.#drawn) return;
    const { stderr } = this.#options;
    cursorTo(stderr, 0);
    clearLine(stderr, 0);
    this.#drawn = false;
  }

  #record(record: Readonly<Record<string, unknown>>): void {
    if (this.#writing) return;
    this.#writing = true;
    const written = () => {
      this.#writing = false;
    };
    // That nobody reads any more is noticed by who owns the stream.
    void this.#options.output.data(record, '').then(written, written);
  }

  #draw(at: number, done: number, all: number): void {
    const { stderr, name } = this.#options;
    if (done < (this.#samples.at(-1)?.done ?? 0)) this.#samples.length = 0;
    this.#samples.push({ at, done });
    while (at - (this.#samples[0]?.at ?? at) > RATE_WINDOW_MS) this.#samples.shift();
    const columns = stderr.columns ?? COLUMNS;
    cursorTo(stderr, 0);
    stderr.write(progressLine(printable(name), done, all, this.#rate(), columns - 1));
    clearLine(stderr, 1);
    this.#drawn = true;
  }

  /** Bytes a second; undefined before there are two points in time. */
  #rate(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at === first.at) return undefined;
    return ((last.done - first.done) * 1_000) / (last.at - first.at);
  }
}

/** One line of at most `columns` characters; the name gives way first, then the bar. */
export function progressLine(
  name: string,
  done: number,
  all: number,
  rate: number | undefined,
  columns: number,
): string {
  const share = all === 0 ? 1 : done / all;
  const cells = Math.round(share * BAR_CELLS);
  const bar = `[${'#'.repeat(cells)}${'.'.repeat(BAR_CELLS - cells)}]`;
  const pace = rate === undefined ? '' : ` ${byteCount(Math.round(rate))}/s${timeLeft(all - done, rate)}`;
  const figures = `${Math.floor(share * 100)} %${pace}`;
  const room = columns - figures.length - bar.length - 2;
  if (room < 8) return figures.slice(0, columns);
  const shown = [...name];
  return `${shown.length > room ? `${shown.slice(0, room - 1).join('')}…` : name} ${bar} ${figures}`;
}

function timeLeft(bytes: number, rate: number): string {
  if (bytes === 0 || rate <= 0) return '';
  const seconds = Math.ceil(bytes / rate);
  if (seconds > 359_999) return '';
  const two = (number: number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return `, ${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)} left`;
}
