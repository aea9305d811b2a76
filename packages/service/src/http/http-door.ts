/**
 * What an app hands to whoever owns the port: its own main, or solo, which puts three doors behind one port.
 * A door never listens by itself.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Who orders: whoever may use the socket on the machine, or somebody on the network, who shows a token. */
export type AdminCaller =
  | { readonly via: 'socket' }
  | { readonly via: 'address'; readonly authorization: string | undefined };

/**
 * By path on the administrator's socket and address: what `POST` does with a JSON body, which it checks itself, as it checks the caller.
 */
export type AdminCommands = Readonly<Record<string, (body: unknown, caller: AdminCaller) => Promise<object>>>;

export interface HttpDoor {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** What an operator should see of this server at `/version`, besides the version. */
  readonly notes?: Readonly<Record<string, boolean>> | undefined;
  /** For the administrator's socket (`admin-socket.ts`), which whoever owns the port opens. */
  readonly admin?: AdminCommands | undefined;
  /** Readiness: rejects with a reason while this app could not do its job end to end. */
  ready(): Promise<void>;
  /** Finishes what is under way. Idempotent. */
  close(): Promise<void>;
}

export interface SocketDoor extends HttpDoor {
  /** An HTTP upgrade on this door's path. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void;
  /** Closes sockets in paced batches with a code that makes clients come back elsewhere; resolves when none is left. */
  drain(): Promise<void>;
}
