/**
 * How the process ends, as one table (docs/cli.md shows it; a test compares). Scripts rely on these numbers: they never change meaning.
 */
import { ClientError } from '@sealwire/client/errors';
import { NesError } from '@sealwire/nes/errors';
import { CommanderError } from 'commander';

export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done; for `send`: the server holds the message durably' },
  failure: { code: 1, meaning: 'it did not work; the line on stderr says why' },
  usage: { code: 2, meaning: 'a mistake in the command, the configuration or a file that it names' },
  offline: { code: 3, meaning: 'the server was not reached; for `send` and `chat`: the message is in the outbox' },
  authentication: { code: 4, meaning: 'wrong passphrase, login refused, or the device was removed' },
  locked: { code: 5, meaning: 'another process is using these keys' },
  damaged: { code: 6, meaning: 'the key store is damaged and was not touched' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C before it was done' },
} as const;

export type Ending = keyof typeof EXIT_CODES;

/** A mistake or a failure that the user is told of in one line, with the fix. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    readonly ending: Ending,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Codes of the SDK and of the servers whose ending is not `failure`. */
const ENDINGS: Readonly<Record<string, Ending>> = {
  unreachable: 'offline',
  unavailable: 'offline',
  'login-refused': 'authentication',
  'device-removed': 'authentication',
  'account-lost': 'authentication',
  unauthorized: 'authentication',
  'token-expired': 'authentication',
  'wrong-passphrase': 'authentication',
  locked: 'locked',
  corrupt: 'damaged',
  aborted: 'interrupted',
  'not-registered': 'usage',
  'other-origin': 'usage',
  'bad-name': 'usage',
  'bad-address': 'usage',
  'bad-link-code': 'usage',
  'bad-verification-code': 'usage',
  'bad-recovery-key': 'usage',
};

/** How the process ends for `error`, whatever was thrown. */
export function endingOf(error: unknown): Ending {
  if (error instanceof CliError) return error.ending;
  if (error instanceof ClientError) return ENDINGS[error.code] ?? 'failure';
  if (error instanceof NesError) return error.code === 'bad-username' ? 'usage' : 'failure';
  if (error instanceof CommanderError) return error.exitCode === 0 ? 'ok' : 'usage';
  if (isBrokenPipe(error)) return 'ok';
  return 'failure';
}

/** `sealwire listen | head -1`: whoever has read enough is no failure. */
export function isBrokenPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}

/** Stable word for `--json`: the SDK's own code where there is one. */
export function errorCodeOf(error: unknown): string {
  return error instanceof ClientError || error instanceof NesError ? error.code : endingOf(error);
}
