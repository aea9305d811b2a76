/** What both Nest servers ask of Fastify: strict JSON and nothing else as a body, long enough route parameters, bounded bodies. */
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { LIMITS } from '@sealwire/wire/limits';
import { type FailureNotes, failureProblem } from '../http/failure.ts';
import { isUtf8 } from '../http/media-type.ts';
import { Problem, validationProblem } from '../http/problem.ts';
import { JsonError, parseStrictJson } from '../http/strict-json.ts';

interface JsonRequest {
  readonly headers: { readonly 'content-type'?: string | undefined };
}

/** The part of a Fastify instance that this touches. */
interface BodyParsers {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    type: string,
    options: { parseAs: 'buffer' },
    parser: (request: JsonRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void) => void,
  ): unknown;
}

interface Reply {
  code(status: number): Reply;
  headers(headers: Record<string, string>): Reply;
  send(body: string): unknown;
}

export function fastifyOptions(notes: FailureNotes) {
  return {
    bodyLimit: LIMITS.jsonBodyBytes.value,
    // A percent-encoded device id: up to three characters a byte. What is longer names nothing: 404.
    routerOptions: { maxParamLength: LIMITS.deviceIdBytes.value * 3 },
    // No parser, no multipart (case H13).
    multipart: false,
    // The router's own refusals (a malformed or too long path) come before any filter.
    frameworkErrors(error: Error, _request: unknown, reply: unknown): void {
      const problem = failureProblem(error, notes, 'http');
      (reply as Reply).code(problem.status).headers(problem.headers()).send(problem.body());
    },
  } as const;
}

export const NEST_OPTIONS = { bodyParser: false, logger: false, abortOnError: false } as const;

/** `application/json` by `strict-json.ts`; every other type is answered with 415. */
export function acceptStrictJsonOnly(fastify: BodyParsers): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (!isUtf8(request.headers['content-type'] ?? ''))
      return done(new Problem('unsupported-media-type', { detail: 'JSON is taken in UTF-8' }));
    try {
      done(null, parseStrictJson(body));
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      done(new Problem('bad-request', { detail: error.message }, { cause: error }));
    }
  });
}

/** `@Body({ schema })` and its like, with faults as problems. */
export function schemaPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: (issues) => validationProblem({ issues }) });
}
