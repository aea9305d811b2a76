/** Errors as RFC 9457 problems, made from the one table of errors in `wire/errors`. */
import { ERRORS, type ErrorCode } from '@sealwire/wire/errors';
import { z } from 'zod';

export interface PointerError {
  /** JSON pointer into the body (RFC 6901). */
  readonly pointer: string;
  readonly detail: string;
}

export interface ProblemDetails {
  /** For the developer of a client. Never quotes what a server keeps. */
  readonly detail?: string;
  readonly errors?: readonly PointerError[];
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Fields of this problem beyond RFC 9457's, such as the newest version in a version conflict. */
  readonly more?: Readonly<Record<string, string | number>>;
}

/** Throw it anywhere in a request: the filter turns it into the answer. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  constructor(
    readonly code: ErrorCode,
    readonly details: ProblemDetails = {},
    options?: ErrorOptions,
  ) {
    super(`${ERRORS[code].title}${details.detail ? `: ${details.detail}` : ''}`, options);
    this.status = ERRORS[code].status;
  }

  headers(): Record<string, string> {
    const { retryAfterSeconds, headers } = this.details;
    const retryAfter = retryAfterSeconds ?? (this.status === 503 ? 2 : undefined);
    return {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) }),
      ...headers,
    };
  }

  body(): string {
    const { title, retryable } = ERRORS[this.code];
    const { detail, errors, more } = this.details;
    return JSON.stringify({
      type: `urn:sealwire:problem:${this.code}`,
      title,
      status: this.status,
      code: this.code,
      ...(detail === undefined ? {} : { detail }),
      retryable,
      ...(errors === undefined ? {} : { errors }),
      ...more,
    });
  }
}

/** Every other 4xx is `bad-request`. */
const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  413: 'payload-too-large',
  // A path too long to name anything that is here.
  414: 'not-found',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
  503: 'unavailable',
};

/** Errors of ports carry a kind (house, section 4). */
const BY_KIND: Readonly<Record<string, ErrorCode>> = {
  'not-found': 'not-found',
  conflict: 'conflict',
  limit: 'limit-reached',
  unavailable: 'unavailable',
  incomplete: 'upload-incomplete',
  refused: 'forbidden',
  full: 'storage-full',
};

/** Any thrown value as a problem. What nobody expected becomes `internal` and tells the caller nothing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof z.ZodError) return validationProblem(error);
  if (!(error instanceof Error)) return new Problem('internal');
  const { kind, status, statusCode, code } = error as {
    kind?: string;
    status?: number;
    statusCode?: number;
    code?: unknown;
  };
  if (kind !== undefined && BY_KIND[kind]) return new Problem(BY_KIND[kind], {}, { cause: error });
  // Of the framework: Nest's HttpException has `getStatus`, Fastify's errors have `statusCode`.
  const given = statusCode ?? status ?? (error as { getStatus?(): number }).getStatus?.();
  const refused = given !== undefined && given >= 400 && given < 500 ? 'bad-request' : undefined;
  const known = given === undefined ? undefined : (BY_STATUS[given] ?? refused);
  if (known && (typeof code === 'string' || 'getStatus' in error)) return new Problem(known, {}, { cause: error });
  return new Problem('internal', {}, { cause: error });
}

interface Issue {
  readonly message: string;
  readonly code?: string;
  readonly path?: readonly unknown[] | undefined;
}

/** A body that does not have the documented form, with a pointer to each fault. The values themselves are not repeated. */
export function validationProblem(error: { readonly issues: readonly Issue[] }): Problem {
  const errors = error.issues.slice(0, 16).map((issue) => ({
    pointer: (issue.path ?? []).map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
    detail: issue.code === 'unrecognized_keys' ? 'unknown field' : issue.message,
  }));
  return new Problem('bad-request', { errors });
}
