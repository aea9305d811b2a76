/**
 * What is kept of each request beside its answer: an id that its lines of the log have, a count and a time by route, and a span where traces
 * are made. Of a request that is its method, its status and the template of its route: neither path nor client.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log, LogFields } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { OpenSpan, Tracing } from '../observe/tracing.ts';
import { isFromTrusted, type TrustedProxies } from './client-address.ts';

/** The header of the answer, and of the request of a trusted proxy. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** A number of nginx (`$request_id`), or the UUID of others: 16 to 32 hexadecimal digits, hyphens apart. */
const SAFE_ID = /^[0-9a-f]{16,32}$/;
const LONGEST_ID = 36;

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

interface Notes {
  readonly id: string;
  route?: string;
  /** Who asks; for the log where identifiers are switched on. */
  device?: string;
}

const NOTES = Symbol('request notes');
type Noted = IncomingMessage & { [NOTES]?: Notes };

export interface RequestNotesDeps {
  readonly log: Pick<Log, 'debug'>;
  readonly metrics: Pick<Metrics, 'httpRequests' | 'httpRequestTime' | 'httpUnderWay'>;
  /** Whose ids and traces are taken over; undefined: nobody's. */
  readonly proxies?: TrustedProxies | undefined;
  readonly tracing?: Tracing | undefined;
  /** A new id of 16 hexadecimal digits. */
  readonly newId: () => string;
}

export interface RequestNotes {
  /** Runs `work`, which answers `request`, and notes what becomes of it. */
  during(request: IncomingMessage, response: ServerResponse, work: () => void): void;
  /** The same of an upgrade, which has no answer that could be seen. */
  duringUpgrade(request: IncomingMessage, work: () => void): void;
}

export function createRequestNotes(deps: RequestNotesDeps): RequestNotes {
  const { log, metrics, proxies, tracing, newId } = deps;

  function begin(request: Noted): { notes: Notes; span: OpenSpan | undefined; method: string } {
    const { headers } = request;
    const isOurs = proxies !== undefined && isFromTrusted(request, proxies);
    const notes: Notes = { id: (isOurs && safeId(headers[REQUEST_ID_HEADER])) || newId() };
    request[NOTES] = notes;
    const method = METHODS.has(request.method ?? '') ? request.method! : 'other';
    const traceparent = isOurs && typeof headers.traceparent === 'string' ? headers.traceparent : undefined;
    return { notes, method, span: tracing?.request(method, traceparent) };
  }

  return {
    during(request, response, work) {
      const { notes, span, method } = begin(request);
      response.setHeader(REQUEST_ID_HEADER, notes.id);
      metrics.httpUnderWay.inc();
      const stop = metrics.httpRequestTime.startTimer();
      response.once('close', () => {
        metrics.httpUnderWay.dec();
        const { route = 'unknown', device } = notes;
        const status = response.writableFinished ? response.statusCode : 'aborted';
        metrics.httpRequests.inc({ route, method, status: String(status) });
        const seconds = stop({ route });
        const known = status === 'aborted' ? undefined : status;
        const fields = { route, method, ...(known !== undefined && { status: known }) };
        span?.end({ name: `${method} ${route}`, fields, failed: known === undefined || known >= 500 });
        log.debug('request', {
          ...fields,
          request: notes.id,
          durationMs: Math.round(seconds * 1_000),
          ...(device !== undefined && { device }),
        });
      });
      if (span) span.within(work);
      else work();
    },

    duringUpgrade(request, work) {
      const { notes, span } = begin(request);
      if (!span) {
        work();
        return;
      }
      try {
        span.within(work);
      } finally {
        const { route = 'unknown' } = notes;
        span.end({ name: `upgrade ${route}`, fields: { route }, failed: false });
      }
    },
  };
}

/** `template`: a path with names for what varies, of which there are few. */
export function nameRoute(request: IncomingMessage, template: string): void {
  const notes = (request as Noted)[NOTES];
  if (notes) notes.route = template;
}

/** Whose request it turned out to be. */
export function noteDevice(request: IncomingMessage, device: string): void {
  const notes = (request as Noted)[NOTES];
  if (notes) notes.device = device;
}

/** For a line of the log about a request. */
export function requestFields(request: IncomingMessage): Pick<LogFields, 'request' | 'device'> {
  const { id, device } = (request as Noted)[NOTES] ?? {};
  return { ...(id !== undefined && { request: id }), ...(device !== undefined && { device }) };
}

/** Ids of this process: `prefix`, 8 random hexadecimal digits, and a number. */
export function requestIds(prefix: string): () => string {
  let count = 0;
  return () => {
    count = (count + 1) >>> 0;
    return prefix + count.toString(16).padStart(8, '0');
  };
}

function safeId(given: string | readonly string[] | undefined): string | undefined {
  if (typeof given !== 'string' || given.length > LONGEST_ID) return undefined;
  const id = given.toLowerCase().replaceAll('-', '');
  return SAFE_ID.test(id) ? id : undefined;
}
