/** A code by mail, from a server whose gate is `email` (docs/spec/client.md section 1). */
import { ActivationAnswer } from '@sealwire/wire/http';
import { HttpCalls } from '../connection/http-calls.ts';
import type { ClientRuntime } from '../runtime.ts';
import { addressOfServer, discover } from './discovery.ts';

export interface ActivationRequest {
  /** Origin, e.g. `https://chat.example.org`. */
  readonly server: string;
  readonly email: string;
  readonly runtime: ClientRuntime;
  readonly signal?: AbortSignal;
}

/**
 * Has a code mailed, which is the `invitation` of one account until `expiresAt` (ms). Asked again, it mails another one. Throws
 * `ClientError`: `forbidden` (no codes here, or not to this address), `bad-request`, `too-many-requests`, `unavailable`, and what
 * discovery throws.
 */
export async function requestActivation(request: ActivationRequest): Promise<{ readonly expiresAt: number }> {
  const { email, runtime, signal } = request;
  const server = addressOfServer(request.server);
  const http = new HttpCalls(server, runtime);
  const { paths } = await discover(http, server, signal);
  return http.json({ method: 'POST', path: `${paths.api}/activations`, body: { email }, signal }, ActivationAnswer);
}
