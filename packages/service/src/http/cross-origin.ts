/**
 * Pages of other origins (the CORS protocol, Fetch Standard section 3.3): those that are listed may
 * call this server and read its answers, others are told nothing and their browser keeps the answer
 * from them. Who calls is said by a token in a header, never by a cookie: no credentials are
 * allowed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The methods and headers of the SDK's calls, and what it reads of an answer's head. */
const ALLOWED = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers': 'authorization, content-type, from, idempotency-key, range',
  // Two hours: no browser keeps an answer for longer, but one.
  'access-control-max-age': '7200',
} as const;
const EXPOSED_HEADERS = 'accept-ranges, content-length, content-range, retry-after, sealwire-signature';

/**
 * Answers a preflight itself, and says so; else it marks the answer for the page and leaves the
 * rest to the door.
 */
export type CrossOrigin = (request: IncomingMessage, response: ServerResponse) => boolean;

/** `origins`: as the `Origin` header writes them; none: every request is left as it is. */
export function crossOrigin(origins: readonly string[]): CrossOrigin {
  if (origins.length === 0) return () => false;
  const listed = new Set(origins);
  return ({ method, headers }, response) => {
    // Also where no page asked: a cache must not give that answer to one.
    response.setHeader('vary', 'origin');
    const { origin } = headers;
    if (origin === undefined || !listed.has(origin)) return false;
    response.setHeader('access-control-allow-origin', origin);
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) {
      response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
      return false;
    }
    response.writeHead(204, ALLOWED);
    response.end();
    return true;
  };
}
