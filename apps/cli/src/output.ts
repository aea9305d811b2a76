/**
 * stdout is data, stderr is chatter. With `--json`, data is one object a line, and the last line on stderr is an error object.
 * Whatever goes through here is made printable, so that no caller can forget what came from outside (threat T42).
 */
import type { Writable } from 'node:stream';
import { ClientError } from '@sealwire/client/errors';
import pc from 'picocolors';
import { EXIT_CODES, endingOf, errorCodeOf } from './exit-codes.ts';
import { reasonOf } from './network-reason.ts';
import { jsonLine, printable } from './printable.ts';

export interface OutputOptions {
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly json: boolean;
  /** `NO_COLOR` (no-color.org) and a stderr that is no terminal switch it off. */
  readonly color: boolean;
}

export class Output {
  readonly json: boolean;
  readonly #options: OutputOptions;
  readonly #colors: ReturnType<typeof pc.createColors>;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    this.#colors = pc.createColors(options.color);
  }

  /** The same on other streams. */
  through(streams: Pick<OutputOptions, 'stdout' | 'stderr'>): Output {
    return new Output({ ...this.#options, ...streams });
  }

  /**
   * One piece of data; resolves when it is written, so that a message counts as shown only then, and a slow reader slows us down
   * rather than fill the memory. Rejects with `EPIPE` when nobody reads any more.
   */
  async data(record: Readonly<Record<string, unknown>>, text: string): Promise<void> {
    await this.raw(`${this.json ? jsonLine(record) : printable(text)}\n`);
  }

  raw(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#options.stdout.write(data, (error) => (error ? reject(error) : resolve()));
    });
  }

  note(text: string): void {
    this.#options.stderr.write(`${this.#colors.dim(printable(text))}\n`);
  }

  warn(text: string): void {
    this.#options.stderr.write(`${this.#colors.yellow('warning:')} ${printable(text)}\n`);
  }

  /** One line; never a stack trace. */
  error(error: unknown): void {
    const message = explain(error).replace(/\s*\n\s*/g, ' ');
    const { code } = EXIT_CODES[endingOf(error)];
    const line = this.json
      ? jsonLine({ event: 'error', code: errorCodeOf(error), message, exitCode: code })
      : `${this.#colors.red('sealwire:')} ${printable(message)}`;
    this.#options.stderr.write(`${line}\n`);
  }
}

const ANEW = 'to begin anew: `sealwire logout`, then `register` or `devices join`';

/** What the SDK leaves to the user, in this program's words. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  'login-refused': ANEW,
  'device-removed': ANEW,
  'account-lost': `if it was restored: \`sealwire register\`, on the oldest device first, makes the account again with the same keys; ${ANEW}`,
  'unsafe-device': 'once you know why: `sealwire trust accept`',
  'account-key-changed': 'once you know why: `sealwire trust accept`, or `sealwire trust forget`',
  'manifest-fork': 'once you know why: `sealwire trust forget`',
};

/** What the user can do about `error`, where the SDK leaves that to the program. */
export function wayOutOf(error: unknown): string | undefined {
  return error instanceof ClientError ? WAYS_OUT[error.code] : undefined;
}

/** One error for people, with its way out. */
export function explain(error: unknown): string {
  const wayOut = wayOutOf(error);
  return wayOut === undefined ? whatOf(error) : `${whatOf(error)}; ${wayOut}`;
}

/** One error for people, without what to do. Why a server was not reached the SDK leaves to the platform's error below. */
export function whatOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof ClientError)) return error.message;
  const reason = error.code === 'unreachable' ? reasonOf(error) : undefined;
  return reason === undefined ? error.message : `${error.message} (${reason})`;
}
