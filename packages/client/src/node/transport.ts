/**
 * WebSockets for Node, by `ws` (Node 20 has none of its own). A relay that does not read makes us hold a bounded number of bytes; `ws`
 * itself bounds the pongs that wait, and the fragments of a message.
 */
import { LIMITS } from '@sealwire/wire/limits';
import { WebSocket } from 'ws';
import { retryAfterOf } from '../connection/retry-after.ts';
import { UNSENT_BYTES } from '../connection/unsent-bytes.ts';
import type { ConnectSocket, Socket, SocketClose, SocketHandlers } from '../runtime.ts';

const LOST = 1006;
const CONNECT_TIMEOUT_MS = 10_000;

export const connectSocket: ConnectSocket = connectSocketFrom();

/** As `connectSocket`, from one address of this machine: an address has some 28,000 ports to one server, and no more sockets. */
export function connectSocketFrom(localAddress?: string): ConnectSocket {
  return (url, subprotocol, handlers) => open(url, subprotocol, handlers, localAddress);
}

function open(url: string, subprotocol: string, handlers: SocketHandlers, localAddress: string | undefined): Socket {
  let refusal: SocketClose | undefined;
  const socket = new WebSocket(url, subprotocol, {
    perMessageDeflate: false,
    maxPayload: LIMITS.frameBytes.value,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    followRedirects: false,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  socket.binaryType = 'nodebuffer';
  socket.on('open', () => handlers.opened());
  socket.on('message', (data: Buffer) => handlers.received(new Uint8Array(data)));
  socket.on('unexpected-response', (_request, response) => {
    const retryAfterMs = retryAfterOf(response.headers['retry-after']);
    refusal = {
      code: LOST,
      reason: `the server answered ${response.statusCode}`,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    socket.terminate();
  });
  socket.on('error', (error) => {
    refusal ??= { code: LOST, reason: error.message };
  });
  socket.on('close', (code, reason) => {
    handlers.closed(refusal && code === LOST ? refusal : { code, reason: reason.toString() });
  });
  return {
    send: (bytes) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount > UNSENT_BYTES) return socket.terminate();
      socket.send(bytes);
    },
    close: (code) => socket.close(code),
    drop: () => socket.terminate(),
  };
}
