/** `/livez`, `/readyz`, `/metrics`, `/version`: the same four on every server (conventions, configuration and start-up). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export const METRICS_PATH = '/metrics';

export interface Health {
  /** Answers when the path is one of the four; false: not its business. */
  handle(request: IncomingMessage, response: ServerResponse, path: string): boolean;
  /** From now on `/readyz` says 503: the load balancer sends nothing new. */
  drain(): void;
}

export interface HealthOptions {
  readonly server: string;
  readonly version: string;
  /** See `HttpDoor.notes`. */
  readonly notes?: Readonly<Record<string, boolean>> | undefined;
  /** End to end: rejects while this server could not do its job. */
  readonly ready: () => Promise<void>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
}

/** A probe writes to the store: however often somebody asks, it runs once in this time. */
const PROBE_EVERY_MS = 1_000;
/** A store that hangs is not ready either. */
const PROBE_PATIENCE_MS = 3_000;

export function createHealth(options: HealthOptions): Health {
  let draining = false;
  const { server, version, metrics } = options;
  metrics.build.set({ server, version, node: process.version }, 1);
  let lastProbe: { at: number; result: Promise<string | undefined> } | undefined;
  let told: string | undefined;

  /** Undefined: ready; else what `/readyz` says. */
  async function unreadiness(): Promise<string | undefined> {
    if (draining) return 'draining';
    const now = options.now();
    const age = lastProbe ? now - lastProbe.at : PROBE_EVERY_MS;
    // One of the future: the clock was ahead.
    if (!lastProbe || age < 0 || age >= PROBE_EVERY_MS) lastProbe = { at: now, result: probe() };
    return lastProbe.result;
  }

  async function probe(): Promise<string | undefined> {
    const error = await failureOf(options.ready);
    const text = error && textOf(error);
    // However often somebody asks, a line when it changes: the disk may be the trouble.
    if (text !== undefined && text !== told) options.log.warn('not-ready', { error });
    told = text;
    return text;
  }

  const pages: Record<string, (response: ServerResponse) => Promise<void>> = {
    '/livez': async (response) => answer(response, 200, 'text/plain', 'ok\n'),
    '/readyz': async (response) => {
      const problem = await unreadiness();
      answer(response, problem === undefined ? 200 : 503, 'text/plain', `${problem ?? 'ready'}\n`);
    },
    [METRICS_PATH]: async (response) => {
      metrics.ready.set((await unreadiness()) === undefined ? 1 : 0);
      answer(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await metrics.text());
    },
    '/version': async (response) => {
      const body = { server, version, ...options.notes };
      answer(response, 200, 'application/json', `${JSON.stringify(body)}\n`);
    },
  };

  return {
    handle(request, response, path) {
      const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
      if (!page) return false;
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        answer(response, 405, 'text/plain', 'method not allowed\n');
        return true;
      }
      page(response).catch((error: unknown) => {
        options.log.error('health-failed', { error });
        if (!response.headersSent) answer(response, 500, 'text/plain', 'failed\n');
      });
      return true;
    },
    drain() {
      draining = true;
    },
  };
}

async function failureOf(ready: () => Promise<void>): Promise<Error | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), PROBE_PATIENCE_MS);
    });
    await Promise.race([ready(), patience]);
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    clearTimeout(timer);
  }
}

/** An error says why in `reason` if that is for people who ask from outside, too. */
function textOf(error: Error): string {
  const { reason } = error as { reason?: unknown };
  return typeof reason === 'string' ? `not ready: ${reason}` : 'not ready';
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
