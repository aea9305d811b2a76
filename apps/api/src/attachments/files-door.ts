/**
 * `/v1/files`: parts on their way to the embedded place, and files on their way from it, past the framework and its body parser. Whoever
 * asks shows a signed path (`signed-paths.ts`). Files on an S3 server are read there: this answers where.
 *
 * A transfer may last hours; one that stands still ends. Whatever a file looks like, no browser shows it (case G09).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { partsOf } from '@sealwire/blobs/parts';
import type { Blobs, ByteRange } from '@sealwire/blobs/port';
import { type FailureNotes, failureProblem } from '@sealwire/service/failure';
import { Problem } from '@sealwire/service/problem';
import { requestFields } from '@sealwire/service/request-notes';
import { LIMITS } from '@sealwire/wire/limits';
import parseRange from 'range-parser';
import type { SignedPaths } from './signed-paths.ts';

/** How long a URL of the S3 server is good that a reader is sent to: it goes there at once, and reads for as long as it takes. */
const READ_URL_MS = 60 * 60_000;
/** For the rest of a body that was refused, so that its sender reads the answer. */
const DRAIN_MS = 2_000;

const HEADERS = {
  'content-type': 'application/octet-stream',
  'content-disposition': 'attachment',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'cross-origin-resource-policy': 'same-site',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'accept-ranges': 'bytes',
} as const;

export interface FilesDoorDeps extends FailureNotes {
  readonly blobs?: Blobs | undefined;
  readonly paths: SignedPaths;
  readonly now: () => number;
  /** For tests: calls `check` when it is time to see whether an upload moves; what it returns ends that. */
  readonly watch?: (check: () => void) => () => void;
  /** For tests: how long a reader may take nothing, ms. */
  readonly idleMs?: number;
}

export type FilesDoor = (request: IncomingMessage, response: ServerResponse) => void;

export function createFilesDoor(deps: FilesDoorDeps): FilesDoor {
  const { blobs, paths, now } = deps;
  const { watch = watchByTime, idleMs = LIMITS.transferStallMs.value } = deps;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const opened = paths.openPart(request.url ?? '');
    if (!opened || blobs?.way.by !== 'streams')
      throw new Problem('forbidden', {
        detail: 'this URL is not, or no longer, good for that: ask for the upload again',
      });
    const { id, handle, size, number } = opened;
    const part = partsOf(size)[number - 1];
    // The rest of the length is the place's to judge; here nothing is read of what says that it is another.
    if (!part || Number(request.headers['content-length']) !== part.bytes)
      throw new Problem('forbidden', { detail: `this part has ${part?.bytes} bytes, and its Content-Length says so` });
    await blobs.way.writePart({ id, handle, bytes: size }, part, keptMoving(request, watch));
    response.writeHead(204, { 'cache-control': 'no-store' }).end();
  }

  async function give(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = paths.openFile(request.url ?? '');
    const size = id === undefined ? undefined : await blobs?.size(id);
    // Unknown, deleted, ended or made up: the same answer (case G01).
    if (!blobs || id === undefined || size === undefined) throw new Problem('not-found');
    if (request.method === 'HEAD') return void response.writeHead(200, { ...HEADERS, 'content-length': size }).end();
    if (blobs.way.by === 'urls') {
      const location = await blobs.way.readUrl(id, { now: now(), until: now() + READ_URL_MS });
      return void response.writeHead(307, { ...HEADERS, location, 'content-length': 0 }).end();
    }
    const asked = rangeOf(request, size);
    const range = asked ?? { first: 0, last: size - 1 };
    const body = await blobs.way.read(id, range);
    response.writeHead(asked ? 206 : 200, {
      ...HEADERS,
      'content-length': range.last - range.first + 1,
      ...(asked && { 'content-range': `bytes ${range.first}-${range.last}/${size}` }),
    });
    // A reader that takes nothing.
    response.setTimeout(idleMs, () => response.destroy());
    await pipeline(Readable.from(body, { objectMode: false }), response).catch((error: unknown) => {
      // The head is out: that the body ends before its length is all that can be said.
      response.destroy();
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    });
  }

  function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const isGone = request.destroyed && !request.complete;
    if (isGone || response.headersSent) return void response.destroy();
    const problem = failureProblem(error, deps, 'http', requestFields(request));
    if (!request.complete) {
      response.setHeader('connection', 'close');
      request.resume();
      const end = setTimeout(() => request.destroy(), DRAIN_MS);
      request.once('close', () => clearTimeout(end));
    }
    response.writeHead(problem.status, problem.headers()).end(problem.body());
  }

  return (request, response) => {
    const { method = '' } = request;
    const isPart = /^\/v1\/files\/[^/?]*\//.test(request.url ?? '');
    const handle = isPart ? (method === 'PUT' ? take : undefined) : ['GET', 'HEAD'].includes(method) ? give : undefined;
    const allow = isPart ? 'PUT' : 'GET, HEAD';
    const handled = handle
      ? handle(request, response)
      : Promise.reject(new Problem('method-not-allowed', { headers: { allow } }));
    handled.catch((error: unknown) => refuse(request, response, error));
  };
}

/** One range within the file; undefined: all of it, as with several, with none that is understood, and on a condition (RFC 9110 section 14.2). */
function rangeOf({ headers }: IncomingMessage, size: number): ByteRange | undefined {
  if (headers.range === undefined || headers['if-range'] !== undefined) return undefined;
  const ranges = parseRange(size, headers.range);
  if (ranges === -1)
    throw new Problem('range-not-satisfiable', {
      detail: `the file has ${size} bytes`,
      headers: { 'content-range': `bytes */${size}` },
    });
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined;
  return { first: ranges[0]!.start, last: ranges[0]!.end };
}

/** The body, which must bring something worth while between two checks, but for its last bytes: else its connection ends. */
async function* keptMoving(
  request: IncomingMessage,
  watch: NonNullable<FilesDoorDeps['watch']>,
): AsyncGenerator<Uint8Array> {
  let came = 0;
  const stop = watch(() => {
    if (came < LIMITS.transferStallBytes.value) request.destroy();
    came = 0;
  });
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      came += piece.length;
      yield piece;
    }
  } finally {
    stop();
  }
}

function watchByTime(check: () => void): () => void {
  const turns = setInterval(check, LIMITS.transferStallMs.value);
  return () => clearInterval(turns);
}
