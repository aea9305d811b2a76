/**
 * Requests to the servers behind one origin, over the injected `fetch`. A problem (RFC 9457) becomes a `ClientError` with its code.
 * 429 and 503 are obeyed: the call waits as long as `Retry-After` says and tries again, unless that is longer than a caller
 * should be kept waiting; then the error carries the time (case L02).
 */
import { ProblemAnswer } from '@sealwire/wire/http';
import { LIMITS } from '@sealwire/wire/limits';
import { ClientError, throwIfAborted } from '../errors.ts';
import { type ClientRuntime, pause, platformTimers, type Timers } from '../runtime.ts';
import { retryAfterOf } from './retry-after.ts';

const PATIENCE_MS = 20_000;
const ATTEMPTS = 4;
const ANSWER_WITHIN_MS = 30_000;
/** Used where the server says "not now" without saying when. */
const DEFAULT_PAUSE_MS = 1_000;
/** Larger than any honest answer: a page of a manifest history. */
const ANSWER_BYTES = LIMITS.manifestPage.value * LIMITS.manifestBytes.value * 2;

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Absolute path. */
  readonly path: string;
  /** JSON when an object, else as it is. */
  readonly body?: object | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly signal?: AbortSignal | undefined;
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
      const response = await this.#send(call);
      if (response.ok) return this.#readBody(response, call);
      const error = await this.#problemOf(response, call);
      const wait = error.retryAfterMs ?? DEFAULT_PAUSE_MS;
      const obeyed = response.status === 429 || response.status === 503;
      if (!obeyed || attempt === ATTEMPTS || wait > PATIENCE_MS) throw error;
      await pause(this.#timers, wait, call.signal ?? this.#lifetime);
    }
  }

  async #send(call: Call): Promise<Response> {
    const timeout = new AbortController();
    const abort = () => timeout.abort();
    const cancel = this.#timers.after(ANSWER_WITHIN_MS, abort);
    const signals = [call.signal, this.#lifetime];
    for (const signal of signals) signal?.addEventListener('abort', abort, { once: true });
    try {
      return await this.#fetch(this.#origin + call.path, requestOf(call, timeout.signal));
    } catch (cause) {
      this.#throwIfAborted(call);
      throw new ClientError(
        'unreachable',
        `cannot reach ${this.#origin}: is the server running, and the address right?`,
        { cause },
      );
    } finally {
      cancel();
      for (const signal of signals) signal?.removeEventListener('abort', abort);
    }
  }

  async #readBody(response: Response, call: Call): Promise<Uint8Array> {
    try {
      if (Number(response.headers.get('content-length') ?? 0) > ANSWER_BYTES) throw new RangeError('too large');
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      this.#throwIfAborted(call);
      throw new ClientError('unreachable', `the answer of ${this.#origin} broke off: try again`, { cause });
    }
  }

  #throwIfAborted(call: Call): void {
    throwIfAborted(call.signal);
    throwIfAborted(this.#lifetime);
  }

  async #problemOf(response: Response, call: Call): Promise<ClientError> {
    const retryAfterMs = retryAfterOf(response.headers.get('retry-after'));
    const after = retryAfterMs === undefined ? {} : { retryAfterMs };
    const body = await this.#readBody(response, call);
    try {
      const problem = ProblemAnswer.parse(JSON.parse(new TextDecoder().decode(body)));
      const { code, detail, title, retryable, errors = [] } = problem;
      const pointers = errors.map(({ pointer }) => pointer);
      return new ClientError(code, detail ?? title, { retryable, pointers, ...after });
    } catch {
      // A proxy in front of the server has spoken: the status is all there is.
      const retryable = response.status >= 500 || response.status === 429;
      const code = retryable ? 'unavailable' : 'bad-answer';
      return new ClientError(code, `${this.#origin}${call.path} answered ${response.status}`, { retryable, ...after });
    }
  }
}

function requestOf(call: Call, signal: AbortSignal): RequestInit {
  const headers: Record<string, string> = { ...call.headers };
  if (call.token) headers.authorization = `Bearer ${call.token}`;
  const request: RequestInit = { method: call.method, headers, signal, redirect: 'error' };
  if (call.body instanceof Uint8Array) request.body = call.body as Uint8Array<ArrayBuffer>;
  else if (call.body) {
    headers['content-type'] = 'application/json';
    request.body = JSON.stringify(call.body);
  }
  return request;
}
