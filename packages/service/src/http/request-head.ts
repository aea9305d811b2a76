/**
 * What a request's head must keep before any door sees it (RFC 9110, RFC 9112; case H11): whatever stands in front of us, and we, read the
 * same request from it. Where two readings are possible it is refused, and the connection with it, since nobody knows where it ends.
 */
import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

/**
 * Headers that say who asks, what comes, or for whom it is: Node takes the first of several, a proxy may have judged by the last.
 * Not here: lists, such as `X-Forwarded-For`, to which a proxy may add a line of its own.
 */
const ONCE_ONLY: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'from',
  'host',
  'origin',
  'sec-websocket-key',
  'sec-websocket-version',
  'transfer-encoding',
  'upgrade',
  'x-lime-user-identity',
]);

/** A host name or an address, and perhaps a port (RFC 9110 section 7.2). */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.-]*)(?::\d{1,5})?$/i;

/** Why this head is not taken, a 400 or 415; undefined: it is. `maxHeaders`: what Node has beyond it, it drops. */
export function headFault(request: IncomingMessage, maxHeaders: number): Problem | undefined {
  const { headers, rawHeaders, httpVersion } = request;
  if (rawHeaders.length / 2 > maxHeaders) return badRequest(`more than ${maxHeaders} headers`);
  const repeated = repeatedIn(rawHeaders);
  if (repeated) return badRequest(`the header ${repeated} is there more than once`);
  if (!HOST.test(headers.host ?? '')) return badRequest('the header host names no host');
  const coding = headers['transfer-encoding'];
  // HTTP/1.0 knows no transfer codings; any but one are for a parser that we do not have (RFC 9112 section 6.1).
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0'))
    return badRequest('the only transfer coding is chunked, in HTTP/1.1');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    return new Problem('unsupported-media-type', { detail: 'bodies are taken without a content coding' });
  return undefined;
}

/** An upgrade has no body: what looks like one could be the first frames to one reader and a request to another. */
export function upgradeHeadFault(request: IncomingMessage, maxHeaders: number): Problem | undefined {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
  if (Number(length) !== 0 || coding !== undefined) return badRequest('an upgrade has no body');
  return headFault(request, maxHeaders);
}

function repeatedIn(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (!ONCE_ONLY.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

function badRequest(detail: string): Problem {
  return new Problem('bad-request', { detail });
}
