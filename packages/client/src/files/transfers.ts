/**
 * Bytes of encrypted files on their way: a part to the URL that our server gave for it, a range from where our server keeps it. No
 * token, no cookie and no referrer goes along: a URL is all that it takes (docs/spec/http.md section 4).
 *
 * Where a request goes is our server's word, and nobody else's (docs/spec/files.md section 7): its own origin, or an https URL; another
 * http URL only from a server that itself is reached by http. What stands still ends.
 */

import { LIMITS } from '@sealwire/wire/limits';
import { urlIn } from '@sealwire/wire/url';
import { readAnswer } from '../connection/answer-body.ts';
import { problemOf } from '../connection/problem-answer.ts';
import { ClientError, throwIfAborted } from '../errors.ts';
import type { Timers } from '../runtime.ts';

const STALL_MS = LIMITS.transferStallMs.value;
/** Nobody tells how much of a part has left: it has this long, or as long as it takes at the least pace. */
const PART_WITHIN_MS = 60_000;
const LEAST_BYTES_A_SECOND = 28 * 1024;
/** To the S3 server there is one. */
const MOST_REDIRECTS = 3;
const REDIRECTS = [301, 302, 303, 307, 308];

export interface TransferParts {
  readonly fetch: typeof fetch;
  readonly timers: Timers;
  /** Of our server. */
  readonly origin: string;
  /** Ends every transfer. */
  readonly lifetime: AbortSignal;
}

/** From `from` up to `to`, not included, of `size` bytes. */
export interface SealedRange {
  readonly from: number;
  readonly to: number;
  readonly size: number;
}

export class Transfers {
  readonly #parts: TransferParts;

  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  /** Throws `ClientError`: `unreachable`, `forbidden` (ask for the URL again), `storage-full`, `bad-answer`, `aborted`, … */
  async put(url: string, bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal | undefined): Promise<void> {
    const withinMs = Math.max(PART_WITHIN_MS, (bytes.length / LEAST_BYTES_A_SECOND) * 1_000);
    const transfer = this.#begin(signal);
    try {
      transfer.endsIn(withinMs);
      const request = { method: 'PUT', body: bytes, redirect: 'error' } as const;
      const response = await this.#request(this.#permitted(url), request, transfer.signal);
      if (!response.ok) throw await refusalOf(response, transfer.signal);
    } catch (error) {
      throw transfer.faultOf(error);
    } finally {
      transfer.end();
    }
  }

  /** The bytes of the range as they come, never more. Throws `unreachable` when they break off, `not-found`, `bad-file`, … */
  async *read(
    url: string,
    { from, to, size }: SealedRange,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const transfer = this.#begin(signal);
    try {
      transfer.endsIn(STALL_MS);
      // A browser asks first whether it may name a range: not for the whole.
      const isWhole = from === 0 && to === size;
      const headers = isWhole ? {} : { range: `bytes=${from}-${to - 1}` };
      const response = await this.#follow(url, headers, transfer.signal);
      if (!response.ok) throw await refusalOf(response, transfer.signal);
      if (response.status !== (isWhole ? 200 : 206) || !response.body)
        throw new ClientError('bad-answer', 'the server answers another part of the file than was asked for');
      const reader = response.body.getReader();
      for (let left = to - from; ; ) {
        const { done, value } = await reader.read();
        transfer.throwIfEnded();
        if (done && left > 0) throw new ClientError('unreachable', 'the file broke off on its way: try again');
        if (done) return;
        if (value.length > left)
          throw new ClientError('bad-file', 'the server has more of this file than its sender sent');
        left -= value.length;
        // While the reader of the file does something else, nothing stands still here.
        transfer.goesOn();
        yield value;
        transfer.endsIn(STALL_MS);
      }
    } catch (error) {
      throw transfer.faultOf(error);
    } finally {
      transfer.end();
    }
  }

  /** By hand, so that each hop is looked at; a browser shows no hop and follows by its own rules. */
  async #follow(first: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    let url = this.#permitted(first);
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      const response = await this.#request(url, { headers, redirect: 'manual' }, signal);
      if (response.type === 'opaqueredirect') return this.#request(url, { headers, redirect: 'follow' }, signal);
      const location = REDIRECTS.includes(response.status) && response.headers.get('location');
      if (!location) return response;
      await response.body?.cancel();
      url = this.#permitted(location, url);
    }
    throw misplaced(`${this.#parts.origin} sends us from one address to the next, and never to the file`);
  }

  #request(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    // Called as a plain function: a browser's fetch refuses to be somebody's method.
    const { fetch } = this.#parts;
    const headers = { ...init.headers, 'accept-encoding': 'identity' };
    return fetch(url, {
      ...init,
      headers,
      signal,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    });
  }

  #permitted(reference: string, base = this.#parts.origin): string {
    const { origin } = this.#parts;
    const url = urlIn(reference, base);
    const isPlain = url?.username === '' && url.password === '';
    const isSafe =
      url && (url.origin === origin || url.protocol === 'https:' || (isHttp(url) && isHttp(new URL(origin))));
    if (isPlain && isSafe) return url.href;
    throw misplaced(`${origin} keeps files where nobody should fetch them: ${url?.host ?? 'no address'}`);
  }

  #begin(signal: AbortSignal | undefined): Transfer {
    return new Transfer(this.#parts, signal);
  }
}

/** One exchange: ends when its caller, the client or the time says so. */
class Transfer {
  readonly #ending = new AbortController();
  readonly #parts: TransferParts;
  readonly #given: AbortSignal | undefined;
  readonly #stop = () => this.#ending.abort();
  #cancel = () => {};

  constructor(parts: TransferParts, given: AbortSignal | undefined) {
    this.#parts = parts;
    this.#given = given;
    throwIfAborted(given);
    throwIfAborted(parts.lifetime);
    for (const signal of [given, parts.lifetime]) signal?.addEventListener('abort', this.#stop, { once: true });
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  endsIn(ms: number): void {
    this.#cancel();
    this.#cancel = this.#parts.timers.after(ms, this.#stop);
  }

  goesOn(): void {
    this.#cancel();
  }

  throwIfEnded(): void {
    this.signal.throwIfAborted();
  }

  faultOf(error: unknown): unknown {
    throwIfAborted(this.#given);
    throwIfAborted(this.#parts.lifetime);
    if (error instanceof ClientError) return error;
    const text = 'the place where the server keeps files cannot be reached, or broke off: is it running?';
    return new ClientError('unreachable', text, { cause: error });
  }

  /** Nothing that is left of an answer is waited for. */
  end(): void {
    this.#cancel();
    for (const signal of [this.#given, this.#parts.lifetime]) signal?.removeEventListener('abort', this.#stop);
    this.#stop();
  }
}

function misplaced(text: string): ClientError {
  return new ClientError('bad-answer', text, { retryable: false });
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:';
}

/** Of our server, or of an S3 server, which speaks in its own words: then the status is all there is. */
async function refusalOf(response: Response, signal: AbortSignal): Promise<ClientError> {
  const body = (await readAnswer(response, LIMITS.jsonBodyBytes.value, signal)) ?? new Uint8Array(0);
  const { status } = response;
  const problem = problemOf(response, body, 'the place where the server keeps files');
  if (status === 404) return new ClientError('not-found', 'the server does not have this file, or not any more');
  // A URL that has ended, as after a long pause: there is a new one to be had.
  if (status === 403) return new ClientError('forbidden', problem.message, { retryable: true });
  if (status === 507)
    return new ClientError('storage-full', 'the server has no room for files: try again later, or tell its operator');
  if (status === 416) return new ClientError('bad-file', 'the server has less of this file than its sender sent');
  return problem;
}
