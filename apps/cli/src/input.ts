/** Reading stdin: all of it, or line by line, ended by the end of input or an interruption; and small files. Text is UTF-8. */
import { readFileSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { LIMITS } from '@sealwire/wire/limits';
import { CliError } from './exit-codes.ts';
import type { Terminal } from './surroundings.ts';

const LINE_FEED = 0x0a;

/** `bytes` as text; a byte order mark at the start is none of it. Throws `CliError` (`usage`) for what is not UTF-8. */
export function textOf(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CliError('usage', `${what} is not UTF-8: convert it, for example with iconv -t UTF-8`);
  }
}

/** A file that holds one word. Throws `CliError` (`usage`). */
export function readSecretFile(file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new CliError('usage', `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return textOf(bytes, file).trim();
}

/** Throws `CliError`: `interrupted`, `usage` for what is not UTF-8 or cannot be one message. */
export async function readAll(stdin: Terminal, interrupted: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of addAbortSignal(interrupted, stdin)) {
      chunks.push(Buffer.from(chunk as Uint8Array));
      size += chunk.length;
      if (size > LIMITS.payloadBytes.value) throw tooLong('the text');
    }
  } catch (error) {
    if (interrupted.aborted) throw new CliError('interrupted', 'stopped');
    throw error;
  }
  return textOf(Buffer.concat(chunks), 'the text');
}

/**
 * Calls `onLine` for each line in turn, the next one when the last has resolved, with its bytes and no line feed; resolves at the end
 * of input or when interrupted. Throws `CliError` (`usage`) for a line that cannot be one message.
 */
export async function eachLine(
  stdin: Terminal,
  interrupted: AbortSignal,
  onLine: (line: Uint8Array) => Promise<void>,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of addAbortSignal(interrupted, stdin)) {
      let from = 0;
      const bytes = Buffer.concat([rest, chunk as Uint8Array]);
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
        await onLine(bytes.subarray(from, end));
        if (interrupted.aborted) return;
        from = end + 1;
      }
      rest = bytes.subarray(from);
      if (rest.length > LIMITS.payloadBytes.value) throw tooLong('a line');
    }
    if (rest.length > 0) await onLine(rest);
  } catch (error) {
    if (!interrupted.aborted) throw error;
  } finally {
    // A terminal or an open pipe would keep the process alive.
    stdin.destroy();
  }
}

function tooLong(what: string): CliError {
  return new CliError('usage', `${what} is longer than a message may be (${LIMITS.payloadBytes.value} bytes)`);
}
