/**
 * `POST /lime` over HTTP (lime-protocol sections 3.1 and 4.1), straight on node:http: the hot route of the directory writes ready
 * buffers and meets no framework. Protocol answers, errors included, are status 200: liblime reads nothing else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { failureProblem } from '@sealwire/service/failure';
import type { Log } from '@sealwire/service/log';
import { isOfType } from '@sealwire/service/media-type';
import type { Metrics } from '@sealwire/service/metrics';
import { Problem } from '@sealwire/service/problem';
import { nameRoute, noteDevice, requestFields } from '@sealwire/service/request-notes';
import { ANSWER_SIGNATURE_HEADER } from '@sealwire/wire/answer-signature';
import { accountOf } from '@sealwire/wire/ids';
import {
  decodeRequest,
  encodeAnswer,
  encodeRequestError,
  LIME_CONTENT_TYPE,
  LIME_ERRORS,
  LIME_SUITES,
  LimeRequestError,
  type LimeRequestLimits,
  SUITE_NAMES,
} from '@sealwire/wire/lime-server';
import { LIMITS } from '@sealwire/wire/limits';
import { readBody } from '../read-body.ts';
import type { SignAnswer } from '../signing/answer-signer.ts';
import type { Authenticate, Caller, PeerCaller, Refusal } from './authenticate.ts';
import type { DeviceNamed } from './device-names.ts';
import type { LimeService } from './lime-service.ts';
import type { LimeSender } from './sender.ts';

export interface LimeEndpointDeps {
  readonly service: LimeService;
  readonly authenticate: Authenticate;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly deviceNamed: DeviceNamed;
  readonly limits: LimeRequestLimits;
  /** In metrics and log. */
  readonly route: string;
  /** Absent: answers are not signed. */
  readonly sign?: SignAnswer | undefined;
}

export type LimeEndpoint = (request: IncomingMessage, response: ServerResponse) => void;

const NOT_ASCII = /[^ -~]/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function createLimeEndpoint(deps: LimeEndpointDeps): LimeEndpoint {
  const maxBodyBytes = largestRequest(deps.limits);
  return (request, response) => {
    const { sign, route } = deps;
    nameRoute(request, route);
    const signed = (body: Uint8Array, answered: Uint8Array) => {
      if (!sign) return answered;
      const exchange = { subject: 'lime', request: body, answer: answered, kind: 'found' } as const;
      response.setHeader(ANSWER_SIGNATURE_HEADER, sign(exchange));
      return answered;
    };
    answer(deps, maxBodyBytes, request, signed).then(
      (answered) =>
        'problem' in answered
          ? sendProblem(deps, response, answered.problem, answered.challenges)
          : send(response, answered),
      (error: unknown) => sendProblem(deps, response, error),
    );
  };
}

/** More than a request may hold is read, so that one with too many keys is told so in LIME's own words. */
const ROOM_BYTES = 64 * 1024;

/** Of the honest ones: a registration of the largest suite, or a bundle request with ids as long as allowed. */
function largestRequest({ oneTimePrekeys, devices }: LimeRequestLimits): number {
  const registrations = SUITE_NAMES.map((name) => {
    const { x, ed, signature } = LIME_SUITES[name];
    return 3 + ed + x + signature + 4 + 2 + oneTimePrekeys * (x + 4);
  });
  const bundles = 5 + devices * (2 + LIMITS.deviceIdBytes.value);
  return Math.max(LIMITS.limeBodyBytes.value, ...registrations, bundles) + ROOM_BYTES;
}

async function answer(
  { authenticate, service, deviceNamed, limits }: LimeEndpointDeps,
  maxBodyBytes: number,
  request: IncomingMessage,
  signed: (body: Uint8Array, answered: Uint8Array) => Uint8Array,
): Promise<Uint8Array | Refusal> {
  if (request.method !== 'POST') throw new Problem('method-not-allowed', { headers: { allow: 'POST' } });
  // Before anything is read or answered with a 200: an HTTP stack offers its credentials on a 401 only.
  const caller = await authenticate(request);
  if ('problem' in caller) return caller;
  if ('device' in caller) noteDevice(request, caller.device);
  const body = await readBody(request, maxBodyBytes);
  const curveId = body.length >= 3 ? body[2]! : 0;
  if (!isOfType(request.headers['content-type'], LIME_CONTENT_TYPE))
    return limeError(LIME_ERRORS.badContentType, curveId, `the content type is ${LIME_CONTENT_TYPE}`);
  const identity = identityOf(request);
  if (identity === undefined)
    return limeError(LIME_ERRORS.missingSenderId, curveId, 'X-Lime-user-identity or From names the device');
  const sender = 'senderOf' in caller ? await caller.senderOf(identity, body) : senderOf(deviceNamed, caller, identity);
  return signed(body, await respond(service, limits, sender, body));
}

/** Throws a 403 when the identity header names a device that is not the caller's. */
function senderOf(deviceNamed: DeviceNamed, caller: Exclude<Caller, PeerCaller>, identity: string): LimeSender {
  if ('device' in caller) {
    if (identity !== caller.device)
      throw new Problem('forbidden', { detail: 'the identity header names another device than the login' });
    return { device: caller.device, vouchedBy: 'device' };
  }
  const device = deviceNamed(identity);
  if (device === undefined) throw namesNoDevice();
  if ('anyone' in caller) return { device, vouchedBy: 'nobody' };
  if (accountOf(device) !== caller.account)
    throw new Problem('forbidden', { detail: 'the identity header names a device of another account than the login' });
  return { device, vouchedBy: 'account' };
}

function namesNoDevice(): Problem {
  return new Problem('forbidden', { detail: 'the identity header names no device (sip:USER@DOMAIN;gr=…)' });
}

async function respond(
  service: LimeService,
  limits: LimeRequestLimits,
  sender: LimeSender,
  body: Uint8Array,
): Promise<Uint8Array> {
  try {
    return encodeAnswer(await service.answer(sender, decodeRequest(body, limits)));
  } catch (error) {
    if (error instanceof LimeRequestError) return encodeRequestError(error);
    throw error;
  }
}

/** The new header takes precedence over `From` (section 3.1). Header bytes are Latin-1 to Node, device ids are UTF-8. Throws a 403. */
function identityOf(request: IncomingMessage): string | undefined {
  const header = request.headers['x-lime-user-identity'] ?? request.headers.from;
  if (typeof header !== 'string' || header === '') return undefined;
  if (!NOT_ASCII.test(header)) return header;
  try {
    return utf8.decode(Buffer.from(header, 'latin1'));
  } catch {
    throw namesNoDevice();
  }
}

function limeError(code: number, curveId: number, text: string): Uint8Array {
  return encodeAnswer({ kind: 'error', curveId, code, text });
}

function send(response: ServerResponse, body: Uint8Array): void {
  response.writeHead(200, {
    'content-type': LIME_CONTENT_TYPE,
    'content-length': body.length,
    'cache-control': 'no-store',
  });
  response.end(body);
}

function sendProblem(
  deps: LimeEndpointDeps,
  response: ServerResponse,
  error: unknown,
  challenges: readonly string[] = [],
): void {
  // A peer that went away in the middle of its body; nobody reads an answer.
  if (response.destroyed || response.headersSent) return void response.destroy();
  const problem = failureProblem(error, deps, 'http', { route: deps.route, ...requestFields(response.req) });
  const body = problem.body();
  // What is left of an oversized body is not worth reading.
  const close = problem.code === 'payload-too-large' ? { connection: 'close' } : {};
  const offered = challenges.length > 0 ? { 'www-authenticate': [...challenges] } : {};
  const length = Buffer.byteLength(body);
  response.writeHead(problem.status, { ...problem.headers(), ...offered, ...close, 'content-length': length });
  response.end(body);
}
