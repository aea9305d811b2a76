/**
 * A terminal on which a line is typed, with editing, history and completion, while other text appears above it. The line itself is
 * drawn by Node's readline; this file only makes room for the text above.
 */
import { type Completer, clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import { Writable } from 'node:stream';
import type { Terminal } from './surroundings.ts';

const HISTORY_LINES = 500;

export class LineEditor {
  /** What is written here, in whole lines, appears above the line being typed. */
  readonly above: Writable;
  readonly #reader: Interface;
  readonly #screen: Writable;
  readonly #stdin: Terminal;
  #open = true;

  constructor(stdin: Terminal, screen: Writable, prompt: string, completer: Completer) {
    this.#screen = screen;
    this.#stdin = stdin;
    this.#reader = createInterface({
      input: stdin,
      output: screen,
      terminal: true,
      prompt,
      completer,
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
    });
    // In raw mode Ctrl-C is a character, and this event the only sign of it.
    this.#reader.on('SIGINT', () => this.#reader.close());
    this.#reader.on('close', () => {
      this.#open = false;
    });
    this.above = new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => this.#writeAbove(text, done),
    });
  }

  /** Calls `listener` with the line that is being typed after each key, but for the one that ends it. */
  onKey(listener: (line: string) => void): void {
    // After readline's own listener: the line has the key.
    this.#stdin.on('keypress', (_text, key?: { readonly name?: string }) => {
      if (this.#open && key?.name !== 'return' && key?.name !== 'enter') listener(this.#reader.line);
    });
  }

  setPrompt(prompt: string): void {
    this.#reader.setPrompt(prompt);
  }

  /** Calls `onLine` for each line in turn; resolves at Ctrl-D, Ctrl-C, or when `interrupted` fires. */
  async eachLine(interrupted: AbortSignal, onLine: (line: string) => Promise<void>): Promise<void> {
    const stop = () => this.#reader.close();
    interrupted.addEventListener('abort', stop, { once: true });
    if (interrupted.aborted) stop();
    else this.#reader.prompt();
    try {
      for await (const line of this.#reader) {
        await onLine(line);
        if (this.#open) this.#reader.prompt();
      }
    } finally {
      interrupted.removeEventListener('abort', stop);
      this.#reader.close();
      this.#screen.write('\n');
    }
  }

  #writeAbove(text: string, done: (error?: Error | null) => void): void {
    if (!this.#open) return void this.#screen.write(text, done);
    const { rows } = this.#reader.getCursorPos();
    moveCursor(this.#screen, 0, -rows);
    cursorTo(this.#screen, 0);
    clearScreenDown(this.#screen);
    this.#screen.write(text, done);
    // Drawing its line again, readline first goes up as many rows as it believes that it had.
    (this.#reader as Interface & { prevRows?: number }).prevRows = 0;
    this.#reader.prompt(true);
  }
}
