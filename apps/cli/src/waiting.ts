/** Waiting with an end. */
import { InvalidArgumentError } from 'commander';
import { CliError } from './exit-codes.ts';

/** A number of seconds from the command line. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds > 86_400) throw new InvalidArgumentError('Seconds, from 0 to 86400.');
  return seconds;
}

/** A count from the command line. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('A whole number from 1.');
  return Number(text);
}

/** Whether `promise` resolved in time; its rejection is passed on. Throws `CliError` (`interrupted`). */
export async function settledWithin(
  promise: Promise<unknown>,
  seconds: number,
  interrupted: AbortSignal,
): Promise<'done' | 'too-late'> {
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  try {
    return await Promise.race([
      promise.then(() => 'done' as const),
      new Promise<'too-late'>((resolve, reject) => {
        timer = setTimeout(() => resolve('too-late'), seconds * 1_000);
        stop = () => reject(new CliError('interrupted', 'stopped'));
        interrupted.addEventListener('abort', stop, { once: true });
        if (interrupted.aborted) stop();
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (stop) interrupted.removeEventListener('abort', stop);
  }
}
