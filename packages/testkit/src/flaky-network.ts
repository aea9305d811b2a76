/** A client's network with faults on demand: links that break, frames and requests that get lost on either way. */

import { connectSocket } from '@sealwire/client/node/transport';
import type { ConnectSocket, Socket, SocketClose } from '@sealwire/client/runtime';
import { decodeClientFrame, decodeServerFrame, encodeClientFrame, encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { ClientFrame, ServerFrame } from '@sealwire/wire/frames';

interface Open {
  readonly socket: Socket;
  received(bytes: Uint8Array): void;
  closed(close: SocketClose): void;
}

export class FlakyNetwork {
  /** Every frame that arrived or left, in order; what was lost is not among them. */
  readonly received: ServerFrame[] = [];
  readonly sent: ClientFrame[] = [];
  /** What becomes of a frame on its way to the client; undefined: it is lost. */
  incoming: (frame: ServerFrame) => ServerFrame | undefined = (frame) => frame;
  /** What becomes of a frame on its way to the relay; undefined: it is lost. */
  outgoing: (frame: ClientFrame) => ClientFrame | undefined = (frame) => frame;
  /** Sees every request; its answer, if it gives one, replaces the server's. `ask` passes it on. */
  intercept: (request: Request, ask: () => Promise<Response>) => Promise<Response> = (_request, ask) => ask();
  /** While false nothing gets through, and new links fail. */
  up = true;
  /** How many links were opened. */
  links = 0;
  readonly #open = new Set<Open>();

  readonly fetch: typeof fetch = async (input, init) => {
    if (!this.up) throw new TypeError('fetch failed: the network is down');
    const request = new Request(input, init);
    return this.intercept(request.clone(), () => fetch(request));
  };

  readonly connectSocket: ConnectSocket = (url, subprotocol, handlers) => {
    if (!this.up) {
      queueMicrotask(() => handlers.closed({ code: 1006, reason: 'the network is down' }));
      return { send() {}, close() {}, drop() {} };
    }
    this.links += 1;
    let ended = false;
    const closed = (close: SocketClose) => {
      if (ended) return;
      ended = true;
      this.#open.delete(open);
      handlers.closed(close);
    };
    const socket = connectSocket(url, subprotocol, {
      opened: () => handlers.opened(),
      received: (bytes) => {
        const frame = ended ? undefined : this.incoming(decodeServerFrame(bytes.slice()));
        if (!frame) return;
        this.received.push(frame);
        handlers.received(encodeServerFrame(frame));
      },
      closed,
    });
    const open: Open = { socket, closed, received: (bytes) => handlers.received(bytes) };
    this.#open.add(open);
    return {
      send: (bytes) => {
        const frame = ended ? undefined : this.outgoing(decodeClientFrame(bytes.slice()));
        if (!frame) return;
        this.sent.push(frame);
        socket.send(encodeClientFrame(frame));
      },
      close: (code) => socket.close(code),
      drop: () => socket.drop(),
    };
  };

  /** Ends all links: broken, without a closing handshake, or as if the relay had closed them with `code`. */
  cut(code = 1006): void {
    for (const { socket, closed } of [...this.#open]) {
      socket.drop();
      closed({ code, reason: 'cut' });
    }
  }

  /** Says something in the relay's name. */
  inject(frame: ServerFrame): void {
    for (const { received } of [...this.#open]) received(encodeServerFrame(frame));
  }

  framesSent<K extends ClientFrame['kind']>(kind: K): Extract<ClientFrame, { kind: K }>[] {
    return this.sent.filter((frame): frame is Extract<ClientFrame, { kind: K }> => frame.kind === kind);
  }

  framesReceived<K extends ServerFrame['kind']>(kind: K): Extract<ServerFrame, { kind: K }>[] {
    return this.received.filter((frame): frame is Extract<ServerFrame, { kind: K }> => frame.kind === kind);
  }
}
