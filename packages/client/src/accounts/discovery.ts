/** Where a server is, and whether it goes by the address that the user gave (docs/spec/client.md section 1). */
import { WellKnown } from '@sealwire/wire/http';
import { canonicalServer } from '@sealwire/wire/server-address';
import type { HttpCalls } from '../connection/http-calls.ts';
import { ClientError } from '../errors.ts';
import type { ServerPaths } from './self-record.ts';

export interface Discovered {
  readonly domain: string;
  readonly paths: ServerPaths;
}

/** An origin, with the path under which its servers are, if any; no slash at the end. */
export function addressOfServer(server: string): string {
  const canonical = canonicalServer(server);
  if (canonical !== undefined) return canonical;
  throw new ClientError('bad-request', `${server} is no server address: it looks like https://chat.example.org`);
}

/**
 * `http` calls `server`. Throws `ClientError`: `other-origin` when the server goes by another address, under which alone it would take a
 * login; `bad-answer` when it is no Sealwire server; `unreachable`, `aborted`.
 */
export async function discover(http: HttpCalls, server: string, signal: AbortSignal | undefined): Promise<Discovered> {
  const { domain, api, lime, directory, relay, origins = [] } = await wellKnown(http, server, signal);
  const { origin } = new URL(server);
  if (origins.length > 0 && !origins.includes(origin))
    throw new ClientError('other-origin', `this server goes by ${origins[0]}, not by ${origin}: use that address`);
  return { domain, paths: pathsOf(origin, { api, lime, directory, relay }) };
}

/** All by which our server goes, its own first; none: it does not say. Throws as `discover` does. */
export async function originsOf(
  http: HttpCalls,
  server: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  return (await wellKnown(http, server, signal)).origins ?? [];
}

async function wellKnown(http: HttpCalls, server: string, signal: AbortSignal | undefined) {
  try {
    return await http.json({ method: 'GET', path: '/.well-known/sealwire', signal }, WellKnown);
  } catch (error) {
    if (!(error instanceof ClientError && ['not-found', 'bad-answer'].includes(error.code))) throw error;
    const text = `${server} is no Sealwire server: check the address, and the path behind it if the operator gave one`;
    throw new ClientError('bad-answer', text, { cause: error });
  }
}

/** Paths on the same origin only: tokens are bound to it. */
function pathsOf(origin: string, paths: ServerPaths): ServerPaths {
  const pathOf = (path: string) => {
    const url = new URL(path, origin);
    if (url.origin !== origin)
      throw new ClientError('bad-answer', `${origin} sends its clients to ${url.origin}: that is not done`);
    return url.pathname.replace(/\/$/, '');
  };
  const { api, lime, directory, relay } = paths;
  return { api: pathOf(api), lime: pathOf(lime), directory: pathOf(directory), relay: pathOf(relay) };
}
