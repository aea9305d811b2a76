/** The one error of the SDK: a stable code, whether the same call can succeed later, and one line with the fix. */
import { ERRORS, type ErrorCode } from '@sealwire/wire/errors';

/** What the SDK itself finds out; codes of the server (`wire/errors`) pass through under their own name. */
const CLIENT_CODES = {
  'not-registered': false,
  'registration-pending': false,
  'join-pending': false,
  'already-registered': false,
  unreachable: true,
  'bad-answer': true,
  'other-origin': false,
  'other-server': false,
  'other-domain': false,
  aborted: false,
  closed: false,
  busy: false,
  'login-refused': false,
  'account-lost': false,
  'device-removed': false,
  'protocol-error': false,
  'bad-address': false,
  'unknown-account': false,
  'account-key-changed': false,
  'manifest-invalid': false,
  'manifest-rollback': true,
  'manifest-fork': false,
  'identity-mismatch': false,
  'unsafe-device': false,
  'untrusted-device': false,
  'uncertified-account': false,
  'ghost-device': false,
  'curve-mismatch': false,
  'directory-unsigned': false,
  'directory-forged': true,
  'directory-key-changed': false,
  'no-keys': true,
  'no-engine': false,
  'engine-missing': true,
  'engine-refused': false,
  'engine-failed': false,
  'message-too-large': false,
  'wrong-account-secret': false,
  'not-administrator': false,
  'no-such-group': false,
  'not-a-member': false,
  'not-invited': false,
  'group-refused': false,
  'bad-group-link': false,
  'no-contacts-key': false,
  'contacts-forged': false,
  'bad-link-code': false,
  'link-over': false,
  'link-forged': false,
  'wrong-digits': false,
  'bad-verification-code': false,
  'verification-busy': false,
  'verification-over': false,
  'verification-locked': false,
  'nothing-to-undo': false,
  'bad-recovery-key': false,
  locked: false,
  'wrong-passphrase': false,
  corrupt: false,
  'storage-failed': true,
  'storage-full': true,
  'bad-file': false,
  'file-changed': false,
  'file-expired': false,
} as const satisfies Record<string, boolean>;

export type ClientErrorCode = keyof typeof CLIENT_CODES | ErrorCode;

export interface ClientErrorOptions extends ErrorOptions {
  /** Default: the property of the code. */
  readonly retryable?: boolean;
  /** The server asks not to come back sooner, ms. */
  readonly retryAfterMs?: number;
  /** JSON pointers into the request, where the server named them. */
  readonly pointers?: readonly string[];
}

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly pointers: readonly string[];

  constructor(
    /** Stable. A newer server may answer a code that this version does not know. */
    readonly code: ClientErrorCode | (string & {}),
    message: string,
    options: ClientErrorOptions = {},
  ) {
    super(message, options);
    this.retryable = options.retryable ?? isRetryable(code);
    this.retryAfterMs = options.retryAfterMs;
    this.pointers = options.pointers ?? [];
  }
}

/** `error` as a `ClientError`; what is not one becomes `code` with the original as its cause. */
export function asClientError(error: unknown, code: ClientErrorCode): ClientError {
  if (error instanceof ClientError) return error;
  return new ClientError(code, error instanceof Error ? error.message : String(error), { cause: error });
}

/** The storage takes nothing more: nobody knows what it holds until the device is opened again. */
export function isStorageBroken({ code }: ClientError): boolean {
  return ['storage-failed', 'storage-full', 'locked', 'closed', 'corrupt'].includes(code);
}

/** The system's code below an error (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), where there is one. */
export function systemCodeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'string' && !(cause instanceof ClientError)) return code;
  }
  return undefined;
}

/** `corrupt`. No backup is advised: an older copy of the ratchets would encrypt under keys that were used (cases S21, S22). */
export function corruptStorage(what: string, cause?: unknown): ClientError {
  const fix =
    'make a new device in an empty folder and remove this one from its account; an older copy would use keys twice';
  return new ClientError('corrupt', `${what} is damaged: ${fix}`, { cause });
}

/** Throws `aborted` when the caller's signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ClientError('aborted', 'stopped as asked');
}

function isRetryable(code: string): boolean {
  if (code in CLIENT_CODES) return CLIENT_CODES[code as keyof typeof CLIENT_CODES];
  return code in ERRORS && ERRORS[code as ErrorCode].retryable;
}
