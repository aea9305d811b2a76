/** Files that a command was asked for. */
import { writeFileSync } from 'node:fs';
import { LoadError } from '../errors.ts';

/** `option`: what named it. Throws `LoadError`. */
export function write(option: string, path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new LoadError('failure', `${option}: ${path} cannot be written (${code})`, { cause });
  }
}
