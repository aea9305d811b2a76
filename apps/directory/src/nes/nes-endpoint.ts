/**
 * `/users` of the public-keys provider over HTTP (docs/spec/nes.md section 5). Straight on node:http: the genuine answers are texts and an
 * empty 201, not the problems of our own API.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MailError } from '@sealwire/mail/port';
import { isUsername, type Username } from '@sealwire/nes/username';
import { failureProblem } from '@sealwire/service/failure';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import { nameRoute, requestFields } from '@sealwire/service/request-notes';
import { readBody } from '../read-body.ts';
import type { NesLimiters } from './nes-limiters.ts';
import type { LinkOutcome, ProviderService } from './provider-service.ts';
import { parseRegistration, REGISTRATION_BYTES, RegistrationError } from './registration.ts';

export interface NesEndpointDeps {
  readonly service: ProviderService;
  readonly limiters: NesLimiters;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TEXT = 'text/plain; charset=utf-8';
const NOT_FOUND: Answer = { status: 404, body: '404 page not found\n' };
const LINK_ANSWERS: Readonly<Record<LinkOutcome, Answer>> = {
  activated: { status: 200, body: 'user activated\n' },
  deleted: { status: 200, body: 'user deleted\n' },
  expired: { status: 410, body: 'activation link expired\n' },
  unknown: NOT_FOUND,
};

/** Answers at `/users` and below. */
export function createNesEndpoint(deps: NesEndpointDeps): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    nameRoute(request, '/users');
    answer(deps, request)
      .catch((error: unknown) => answerTo(error, deps, request))
      .then((answered) => send(response, answered));
  };
}

async function answer({ service, limiters }: NesEndpointDeps, request: IncomingMessage): Promise<Answer> {
  await limiters.request(request);
  const [, , name, token, ...rest] = (request.url ?? '').replace(/\?.*$/s, '').split('/');
  if (rest.length > 0) return NOT_FOUND;
  // HEAD is no GET here: a program that looks whether a link is good must not follow it.
  if (request.method !== (name === undefined ? 'POST' : 'GET'))
    return { status: 405, body: '', headers: { allow: name === undefined ? 'POST' : 'GET' } };
  if (name === undefined) return register(service, limiters, request);
  if (!isUsername(name)) return NOT_FOUND;
  if (token !== undefined) return LINK_ANSWERS[await service.followLink(name, token)];
  return keysOf(service, name);
}

async function register(service: ProviderService, limiters: NesLimiters, request: IncomingMessage): Promise<Answer> {
  const registration = parseRegistration(await readBody(request, REGISTRATION_BYTES));
  if (await service.isTaken(registration.username)) throw new RegistrationError('user already exist');
  await limiters.mail(request, registration.email);
  await service.register(registration);
  return { status: 201, body: '' };
}

async function keysOf(service: ProviderService, name: Username): Promise<Answer> {
  const body = await service.answerFor(name);
  return body === undefined ? NOT_FOUND : { status: 200, body, type: 'application/json' };
}

/** One line each, as the genuine refusals are. */
function answerTo(error: unknown, deps: NesEndpointDeps, request: IncomingMessage): Answer {
  if (error instanceof RegistrationError) return { status: 400, body: `${error.message}\n` };
  if (error instanceof MailError)
    return error.kind === 'refused'
      ? { status: 400, body: 'the mail server takes no mail for this address\n' }
      : { status: 503, body: 'no mail can be sent now: try again later\n', headers: { 'retry-after': '60' } };
  const problem = failureProblem(error, deps, 'http', { route: '/users', ...requestFields(request) });
  const { 'content-type': _json, ...headers } = problem.headers();
  return { status: problem.status, body: `${problem.message}\n`, headers };
}

function send(response: ServerResponse, { status, body, type = TEXT, headers }: Answer): void {
  // A peer that went away in the middle of its body; nobody reads an answer.
  if (response.destroyed || response.headersSent) return void response.destroy();
  response.writeHead(status, {
    ...(body !== '' && { 'content-type': type }),
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What is left of an oversized body is not worth reading.
    ...(status === 413 && { connection: 'close' }),
    ...headers,
  });
  response.end(body);
}
