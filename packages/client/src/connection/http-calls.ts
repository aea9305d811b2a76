/**
 * Requests to the servers behind one origin, over the injected `fetch`. A problem (RFC 9457) becomes a `ClientError` with its code.
 * 429 and 503 are obeyed: the call waits as long as `Retry-After` says and tries again, unless that is longer than a caller
 * should be kept waiting; then the error carries the time (case L02).
 *
 * Whatever the server does, a call ends in time and holds so many bytes of an answer and no more: time-out and caller's signal
 * count to the last byte, and `answer-body.ts` counts the bytes.
 */
import { LIMITS } from '@sealwire/wire/limits';
import { ClientError, systemCodeOf, throwIfAborted } from '../errors.ts';
import { type ClientRuntime, pause, platformTimers, type Timers } from '../runtime.ts';
import { readAnswer } from './answer-body.ts';
import { problemOf } from './problem-answer.ts';

const PATIENCE_MS = 20_000;
const ATTEMPTS = 4;
/** From the request to the last byte of the answer. */
const ANSWER_WITHIN_MS = 30_000;
/** Used where the server says "not now" without saying when. */
const DEFAULT_PAUSE_MS = 1_000;

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Absolute path. */
  readonly path: string;
  /** JSON when an object, else as it is. */
  readonly body?: object | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
  /** Of a POST: twice is as good as once. Of the other methods it is so by their definition (RFC 9110 section 9.2.2). */
  readonly repeatable?: boolean;
  /** The largest honest answer. Default: what a JSON body may have. */
  readonly answerBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /** Judges a 2xx answer before anything of it is read; throws when it is not to be believed. */
  readonly check?: (answer: Uint8Array, headers: Headers) => Promise<void>;
  /** The same for a 404: that there is nothing. */
  readonly checkNone?: (answer: Uint8Array, headers: Headers) => Promise<void>;
}

interface Answer {
  readonly response: Response;
  readonly body: Uint8Array;
}

export class HttpCalls {
  readonly #origin: string;
  readonly #fetch: typeof fetch;
  readonly #timers: Timers;
  readonly #lifetime: AbortSignal | undefined;

  /** `lifetime`: when it fires, every call that is under way ends with `aborted`. */
  constructor(origin: string, runtime: ClientRuntime, lifetime?: AbortSignal) {
    this.#lifetime = lifetime;
    this.#origin = origin;
    // Called as a plain function: a browser's fetch refuses to be somebody's method.
    const { fetch } = runtime;
    this.#fetch = (input, init) => fetch(input, init);
    this.#timers = runtime.timers ?? platformTimers;
  }

  /** The answer's JSON, checked by `schema`. Throws `ClientError`: the server's code, `unreachable`, `bad-answer`, `aborted`. */
  async json<T>(call: Call, schema: { parse(value: unknown): T }): Promise<T> {
    const bytes = await this.bytes(call);
    try {
      return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    } catch (cause) {
      throw new ClientError(
        'bad-answer',
        `${this.#origin}${call.path} does not answer as documented: is it a Sealwire server?`,
        {
          cause,
        },
      );
    }
  }

  /** The bytes of a 2xx answer. Throws as `json` does. */
  async bytes(call: Call): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      this.#throwIfAborted(call);
      const { response, body } = await this.#exchange(call);
      if (response.ok) {
        await call.check?.(body, response.headers);
        return body;
      }
      if (response.status === 404) await call.checkNone?.(body, response.headers);
      const error = problemOf(response, body, this.#origin + call.path);
      const wait = error.retryAfterMs ?? DEFAULT_PAUSE_MS;
      const obeyed = response.status === 429 || response.status === 503;
      if (!obeyed || attempt === ATTEMPTS || wait > PATIENCE_MS) throw error;
      await pause(this.#timers, wait, call.signal ?? this.#lifetime);
    }
  }

  async #exchange(call: Call): Promise<Answer> {
    const ending = new AbortController();
    const end = () => ending.abort();
    const cancel = this.#timers.after(ANSWER_WITHIN_MS, end);
    const signals = [call.signal, this.#lifetime];
    for (const signal of signals) signal?.addEventListener('abort', end, { once: true });
    try {
      const response = await this.#send(call, ending.signal);
      return { response, body: await this.#read(response, call, ending.signal) };
    } finally {
      cancel();
      for (const signal of signals) signal?.removeEventListener('abort', end);
      // Nothing that is left of the answer is waited for.
      end();
    }
  }

  async #send(call: Call, signal: AbortSignal, isRepeat = false): Promise<Response> {
    try {
      return await this.#fetch(this.#origin + call.path, requestOf(call, signal));
    } catch (cause) {
      this.#throwIfAborted(call);
      // An idle connection that the server closes just when it is used again: the request never got there, or its answer not back.
      if (!isRepeat && isCut(cause) && (call.method !== 'POST' || call.repeatable))
        return this.#send(call, signal, true);
      throw new ClientError(
        'unreachable',
        `cannot reach ${this.#origin}: is the server running, and the address right?`,
        { cause },
      );
    }
  }

  async #read(response: Response, call: Call, signal: AbortSignal): Promise<Uint8Array> {
    const maximum = call.answerBytes ?? LIMITS.jsonBodyBytes.value;
    let body: Uint8Array | undefined;
    try {
      body = await readAnswer(response, maximum, signal);
    } catch (cause) {
      this.#throwIfAborted(call);
      throw new ClientError('unreachable', `the answer of ${this.#origin} broke off: try again`, { cause });
    }
    if (body) return body;
    const text = `${this.#origin}${call.path} answers with more than ${maximum} bytes: is it a Sealwire server?`;
    throw new ClientError('bad-answer', text);
  }

  #throwIfAborted(call: Call): void {
    throwIfAborted(call.signal);
    throwIfAborted(this.#lifetime);
  }
}

function isCut(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(systemCodeOf(error) ?? '');
}

function requestOf(call: Call, signal: AbortSignal): RequestInit {
  // Compressed, an answer of a few bytes could be any number of them. A browser does not let us ask; the bytes are counted after
  // decompression in any case.
  const headers: Record<string, string> = { ...call.headers, 'accept-encoding': 'identity' };
  if (call.token) headers.authorization = `Bearer ${call.token}`;
  const request: RequestInit = { method: call.method, headers, signal, redirect: 'error' };
  if (call.body instanceof Uint8Array) request.body = call.body as Uint8Array<ArrayBuffer>;
  else if (call.body) {
    headers['content-type'] = 'application/json';
    request.body = JSON.stringify(call.body);
  }
  return request;
}
