/**
 * The administrator's door on an address of its own (`ADMIN_LISTEN`): the orders of the socket, by tokens. It is never that of the
 * clients, and beyond this machine it speaks TLS or not at all: a token that was seen once is a token for everybody.
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { ConfigError } from '../boot/config.ts';
import type { ListenAddress } from '../boot/settings.ts';
import { answerAdmin } from './admin-request.ts';
import type { FailureNotes } from './failure.ts';
import type { AdminCommands } from './http-door.ts';
import { listenError } from './listen-error.ts';
import { Problem } from './problem.ts';

/** For the whole of a request: orders are short. */
const REQUEST_MS = 10_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

export interface AdminListening {
  readonly url: string;
  /** Undefined without TLS. */
  readonly renew: ((context: SecureContextOptions) => void) | undefined;
  close(): Promise<void>;
}

export interface AdminAddressOptions {
  readonly address: ListenAddress;
  readonly commands: AdminCommands;
  readonly notes: FailureNotes;
  readonly context: SecureContextOptions | undefined;
  readonly limits: ServerOptions;
}

/** Throws `ConfigError` when the address cannot be had, or is one beyond this machine without TLS. */
export async function listenForAdmin(options: AdminAddressOptions): Promise<AdminListening> {
  const { address, commands, notes, context, limits } = options;
  if (!context && !LOOPBACK.test(address.host))
    throw new ConfigError(
      'ADMIN_LISTEN',
      `${address.host} is beyond this machine, and there is no TLS`,
      'set TLS_CERT_FILE and TLS_KEY_FILE, or listen on 127.0.0.1 and use a tunnel',
    );
  const answer: RequestListener = (request, response) => {
    const { authorization, origin } = request.headers;
    // A page has no business here, whatever it knows.
    if (origin !== undefined) {
      const problem = new Problem('forbidden', { detail: 'no web page administers a server' });
      response.writeHead(problem.status, problem.headers()).end(problem.body());
      return;
    }
    void answerAdmin(commands, { via: 'address', authorization }, request, response, notes);
  };
  const slow = { ...limits, requestTimeout: REQUEST_MS };
  const server = context ? createTlsServer({ ...slow, ...context }, answer) : createServer(slow, answer);
  try {
    server.listen(address.port, address.host);
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, 'ADMIN_LISTEN', address);
  }
  const { port, address: host, family } = server.address() as AddressInfo;
  return {
    url: `${context ? 'https' : 'http'}://${family === 'IPv6' ? `[${host}]` : host}:${port}`,
    renew: context && ((next) => (server as TlsServer).setSecureContext(next)),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
