/** What a terminal shows: the text above, and the line being typed below it, whole. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { LineEditor } from './line-editor.ts';

const COLUMNS = 20;
const ESCAPE_OR_CHARACTER = new RegExp(`${String.fromCharCode(27)}\\[\\d*[A-Z]|[^]`, 'g');

// Without it readline takes the terminal of whoever runs the tests, which may know no cursor.
process.env.TERM = 'xterm';

/** A terminal of 20 columns, as far as readline uses one: its rows after all that was written. */
function screen() {
  const rows: string[][] = [[]];
  let [row, column] = [0, 0];
  const output = new PassThrough();
  Object.assign(output, { isTTY: true, columns: COLUMNS });
  const put = (character: string) => {
    if (column === COLUMNS) [row, column] = [row + 1, 0];
    const line = rows[row] ?? [];
    rows[row] = line;
    while (line.length < column) line.push(' ');
    line[column++] = character;
  };
  const control = (text: string): void => {
    const [, count, kind] = /(\d*)([A-Z])$/.exec(text) as unknown as [string, string, string];
    const by = Number(count || 1);
    if (kind === 'A') row = Math.max(0, row - by);
    else if (kind === 'B') row += by;
    else if (kind === 'C') column += by;
    else if (kind === 'D') column = Math.max(0, column - by);
    else if (kind === 'G') column = by - 1;
    else if (kind === 'J') {
      rows.length = row + 1;
      rows[row]?.splice(column);
    }
  };
  output.on('data', (chunk: Buffer) => {
    for (const [piece] of chunk.toString().matchAll(ESCAPE_OR_CHARACTER)) {
      if (piece.length > 1) control(piece);
      else if (piece === '\n') [row, column] = [row + 1, 0];
      else if (piece === '\r') column = 0;
      else put(piece);
    }
  });
  const shown = () => Array.from(rows, (line) => (line ?? []).join('').trimEnd());
  return { output, shown };
}

function editor() {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin });
  const { output, shown } = screen();
  const made = new LineEditor(stdin, output, '> ', (line) => [[], line]);
  const lines: string[] = [];
  const ended = made.eachLine(new AbortController().signal, async (line) => void lines.push(line));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { stdin, shown, made, lines, ended, settle };
}

describe('LineEditor', () => {
  it('shows what comes above the line being typed, which stays whole', async () => {
    const { stdin, shown, made, lines, ended, settle } = editor();
    stdin.write('hel');
    await settle();
    made.above.write('bob: hi\n');
    await settle();
    expect(shown()).toEqual(['bob: hi', '> hel']);
    stdin.write('lo\r');
    await settle();
    expect(lines).toEqual(['hello']);
    stdin.write('\x04');
    await ended;
  });

  it('also when that line takes several rows, and what comes does, too', async () => {
    const { stdin, shown, made, ended, settle } = editor();
    const typed = 'abcdefghijklmnopqrstuvwxyz0123456789';
    stdin.write(typed);
    await settle();
    made.above.write('carol: one\n  two\n');
    await settle();
    made.above.write('carol: three\n');
    await settle();
    const line = `> ${typed}`;
    expect(shown()).toEqual(['carol: one', '  two', 'carol: three', line.slice(0, 20), line.slice(20)]);
    stdin.write('\x03');
    await ended;
  });

  it('takes lines longer than a terminal’s own buffer', async () => {
    const { stdin, lines, ended, settle } = editor();
    stdin.write(`${'x'.repeat(10_000)}\r`);
    await settle();
    expect(lines.map((line) => line.length)).toEqual([10_000]);
    stdin.write('\x04');
    await ended;
  });

  it('tells the line after each key, but for the one that ends it', async () => {
    const { stdin, made, ended, settle } = editor();
    const told: string[] = [];
    made.onKey((line) => told.push(line));
    for (const keys of ['h', 'i', '\x7f', '\r', 'x']) {
      stdin.write(keys);
      await settle();
    }
    expect(told).toEqual(['h', 'hi', 'h', 'x']);
    stdin.write('\x03');
    await ended;
  });

  it('edits, and remembers the lines before', async () => {
    const { stdin, lines, ended, settle } = editor();
    for (const keys of ['helo', '\x1b[D', 'l', '\r', '\x1b[A', '\r']) {
      stdin.write(keys);
      await settle();
    }
    expect(lines).toEqual(['hello', 'hello']);
    stdin.write('\x04');
    await ended;
  });
});
