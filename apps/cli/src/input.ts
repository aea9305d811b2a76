/** Reading stdin: all of it, or line by line, ended by the end of input or an interruption; and small files. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { addAbortSignal } from 'node:stream';
import { CliError } from './exit-codes.ts';
import type { Terminal } from './surroundings.ts';

/** A file that holds one word. Throws `CliError` (`usage`). */
export function readSecretFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CliError('usage', `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Throws `CliError` (`interrupted`). */
export async function readAll(stdin: Terminal, interrupted: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of addAbortSignal(interrupted, stdin)) chunks.push(Buffer.from(chunk as Uint8Array));
  } catch (error) {
    if (interrupted.aborted) throw new CliError('interrupted', 'stopped');
    throw error;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Calls `onLine` for each line in turn, the next one when the last has resolved; resolves at the end of input or when interrupted. */
export async function eachLine(
  stdin: Terminal,
  interrupted: AbortSignal,
  onLine: (line: string) => Promise<void>,
): Promise<void> {
  const reader = createInterface({ input: stdin, terminal: false });
  const stop = () => reader.close();
  interrupted.addEventListener('abort', stop, { once: true });
  try {
    for await (const line of reader) {
      if (interrupted.aborted) return;
      await onLine(line);
    }
  } finally {
    interrupted.removeEventListener('abort', stop);
    reader.close();
    // A terminal or an open pipe would keep the process alive.
    stdin.destroy();
  }
}
