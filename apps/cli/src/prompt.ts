/** Questions on the terminal: asked on stderr, so that stdout stays data. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CliError } from './exit-codes.ts';
import { printable } from './printable.ts';
import type { Surroundings } from './surroundings.ts';

export interface QuestionOptions {
  /** Whether what is typed is seen. */
  readonly echo: boolean;
  /** What to say where there is no terminal. */
  readonly otherwise: string;
}

/** One line. Throws `CliError`: `usage` where there is no terminal, `interrupted`. */
export async function ask(
  question: string,
  { stdin, stderr, interrupted }: Surroundings,
  { echo, otherwise }: QuestionOptions,
): Promise<string> {
  if (!stdin.isTTY) throw new CliError('usage', otherwise);
  stderr.write(printable(question));
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: stdin, output: echo ? stderr : nowhere, terminal: true, historySize: 0 });
  try {
    return await new Promise<string>((resolve, reject) => {
      const stop = () => reject(new CliError('interrupted', 'stopped'));
      interrupted.addEventListener('abort', stop, { once: true });
      // In raw mode Ctrl-C is a character, and readline's event is the only sign of it.
      reader.once('SIGINT', stop);
      reader.once('close', stop);
      reader.once('line', resolve);
    });
  } finally {
    reader.close();
    stderr.write('\n');
  }
}

/** Throws `CliError` when the user does not say yes: `failure` with the text `refused`; `usage` where there is no terminal. */
export async function confirm(
  question: string,
  surroundings: Surroundings,
  { yes, otherwise, refused }: { yes: boolean | undefined; otherwise: string; refused: string },
): Promise<void> {
  if (yes) return;
  const answer = await ask(question, surroundings, { echo: true, otherwise });
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('failure', refused);
}
