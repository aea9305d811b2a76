/** HTTP requests of devices that have no SDK (docs/spec/http.md). */
import type { ClientRuntime } from '@sealwire/client/runtime';
import { patiently, Refused } from './limits.ts';

export interface Calling {
  /** Origin, as `https://chat.example.org`. */
  readonly server: string;
  readonly runtime: ClientRuntime;
  /** Is told of each limit that is waited for. */
  readonly waits?: ((why: Refused, ms: number) => void) | undefined;
}

/** `url`: absolute, or a path of the server. Rejects with `Refused` unless the answer is a good one. Waits for limits that are soon over. */
export function call({ server, runtime, waits }: Calling, url: string, init: RequestInit = {}): Promise<Response> {
  return patiently(() => callOnce(runtime, new URL(url, server).href, init), waits);
}

async function callOnce(runtime: ClientRuntime, url: string, init: RequestInit): Promise<Response> {
  const response = await runtime.fetch(url, init);
  if (response.ok) return response;
  const after = response.headers.get('retry-after');
  throw new Refused(
    new URL(url).pathname,
    await response.text(),
    response.status,
    after === null ? undefined : Number(after) * 1_000,
  );
}

export function json(method: string, body: object): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
