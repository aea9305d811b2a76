/** A server of attachments in memory, behind a `fetch`: docs/spec/http.md section 4, with faults on demand. */
import { setImmediate } from 'node:timers';
import type { Timers } from '../runtime.ts';

interface Stored {
  readonly bytes: number;
  readonly parts: Map<number, Uint8Array>;
  isComplete: boolean;
}

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly request: Request;
}

export class FileServer {
  readonly files = new Map<string, Stored>();
  readonly asked: Asked[] = [];
  partBytes = 100_000;
  expiresAt = 2_000_000_000_000;
  /** Beside its own. */
  origins: string[] = [];
  /** Says something else than the server would; what it throws, the network does. `handle`: what the server would say. */
  fault: (asked: Asked, handle: () => Promise<Response>) => Response | Promise<Response> | undefined = () => undefined;
  #count = 0;
  readonly #keys = new Map<string | null, string>();

  constructor(readonly origin: string) {}

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { method, url, headers } = request;
    const asked = { method, url: new URL(url), headers, request };
    this.asked.push(asked);
    const handle = () => this.#handle(asked);
    return (await this.fault(asked, handle)) ?? handle();
  };

  /** In which form it asks: `PUT /v1/files/1/2`. */
  get lines(): string[] {
    return this.asked.map(({ method, url }) => `${method} ${url.pathname}`);
  }

  async #handle({ method, url, headers, request }: Asked): Promise<Response> {
    if (url.origin !== this.origin) throw new TypeError('fetch failed: no such host');
    if (url.pathname === '/.well-known/sealwire') return this.#wellKnown();
    const [, kind, id = '', last] = url.pathname.split('/').slice(1);
    if (kind === 'attachments' && headers.get('authorization') !== 'Bearer token') return problem(401, 'unauthorized');
    if (kind === 'attachments' && method === 'POST' && id === '')
      return this.#begin((await request.json()) as { bytes: number }, headers.get('idempotency-key'));
    const file = this.files.get(id);
    if (!file) return problem(404, 'not-found');
    if (kind === 'files') return method === 'PUT' ? this.#take(file, Number(last), request) : give(file, headers);
    if (method === 'DELETE') {
      this.files.delete(id);
      return new Response(null, { status: 204 });
    }
    if (method === 'POST' && this.#missing(id, file).length > 0) return problem(409, 'upload-incomplete');
    file.isComplete ||= method === 'POST';
    return this.#answer(id, file);
  }

  #begin({ bytes }: { bytes: number }, key: string | null): Response {
    const known = this.#keys.get(key);
    if (known) return this.#answer(known, this.files.get(known)!);
    const id = String(++this.#count);
    if (key) this.#keys.set(key, id);
    const file = { bytes, parts: new Map(), isComplete: false };
    this.files.set(id, file);
    return this.#answer(id, file);
  }

  async #take(file: Stored, number: number, request: Request): Promise<Response> {
    file.parts.set(number, new Uint8Array(await request.arrayBuffer()));
    return new Response(null, { status: 204 });
  }

  #missing(id: string, { bytes, parts }: Stored) {
    return Array.from({ length: Math.ceil(bytes / this.partBytes) }, (_, i) => ({
      number: i + 1,
      offset: i * this.partBytes,
      bytes: Math.min(this.partBytes, bytes - i * this.partBytes),
      url: `/v1/files/${id}/${i + 1}?until=${this.expiresAt}`,
    })).filter(({ number }) => !parts.has(number));
  }

  #answer(id: string, file: Stored): Response {
    const { bytes, isComplete } = file;
    return Response.json({
      id,
      bytes,
      state: isComplete ? 'complete' : 'uploading',
      expiresAt: this.expiresAt,
      parts: this.#missing(id, file),
      ...(isComplete && { url: `/v1/files/${id}?until=${this.expiresAt}` }),
    });
  }

  #wellKnown(): Response {
    const paths = { api: '/v1', lime: '/lime', directory: '/directory', relay: '/relay' };
    const origins = [this.origin, ...this.origins];
    return Response.json({ domain: 'example.org', ...paths, gate: 'open', version: '1', origins });
  }
}

export function problem(status: number, code: string): Response {
  const body = { type: 'about:blank', title: `it is ${code}`, status, code, retryable: status >= 500 };
  return Response.json(body, { status });
}

function give({ parts, isComplete }: Stored, headers: Headers): Response {
  if (!isComplete) return problem(404, 'not-found');
  const whole = Buffer.concat([...parts.keys()].sort((a, b) => a - b).map((number) => parts.get(number)!));
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.get('range') ?? '') ?? [];
  if (first === undefined) return new Response(whole);
  return new Response(whole.subarray(Number(first), Number(last) + 1), { status: 206 });
}

/** The first bytes of an answer, and then the link is lost. */
export async function brokenAfter(response: Response, bytes: number): Promise<Response> {
  const some = new Uint8Array(await response.arrayBuffer()).subarray(0, bytes);
  let told = false;
  const body = new ReadableStream({
    pull(controller) {
      if (told) return controller.error(new TypeError('terminated'));
      told = true;
      controller.enqueue(some);
    },
  });
  return new Response(body, { status: response.status });
}

/** Times of `http-calls.ts` and `transfers.ts`. */
const WATCHES = [30_000, 60_000];

/** Pauses are over at once; what watches over a transfer never fires. */
export const HASTE: Timers = {
  after(ms, run) {
    if (WATCHES.includes(ms)) return () => {};
    const turn = setImmediate(run);
    return () => clearImmediate(turn);
  },
};
