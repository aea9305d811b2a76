/**
 * WebSockets of a browser. It has no pause and no bound of its own: what comes is handed on at
 * once, and the receiver drops a relay that sends beyond the window; what the relay does not read
 * is bounded by `UNSENT_BYTES`. Why an upgrade was refused, and its `Retry-After`, a browser tells
 * no page: the back-off waits as after a lost connection.
 */
import { LIMITS } from '@sealwire/wire/limits';
import { UNSENT_BYTES } from '../connection/unsent-bytes.ts';
import type { ConnectSocket, Socket, SocketClose } from '../runtime.ts';
import type { PageSocket, PageSocketClass } from './platform.ts';

const LOST = 1006;
/** `readyState` of the WebSockets Standard. */
const OPEN = 1;

/** Sockets of this class: a page's `WebSocket`. */
export function socketsOf(WebSocket: PageSocketClass): ConnectSocket {
  return (url, subprotocol, handlers) => {
    let isOver = false;
    const end = (close: SocketClose) => {
      if (isOver) return;
      isOver = true;
      // Not before the caller has the socket, nor in the middle of what it does with it.
      queueMicrotask(() => handlers.closed(close));
    };
    let socket: PageSocket;
    try {
      socket = new WebSocket(url, subprotocol);
    } catch (error) {
      // A page from https may not open ws:, which is told by an exception.
      end({ code: LOST, reason: (error as Error).message });
      return NO_SOCKET;
    }
    const drop = (reason: string) => {
      if (isOver) return;
      end({ code: LOST, reason });
      // There is no way to cut it: the browser waits for the other side by itself, and nobody
      // listens any more.
      socket.close();
    };
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      if (isOver) return;
      // RFC 6455 lets a server that names none through.
      if (socket.protocol === subprotocol) handlers.opened();
      else drop('the server does not speak the relay’s protocol');
    };
    socket.onmessage = ({ data }) => {
      if (isOver) return;
      if (!isBytes(data)) return drop('the relay sent text');
      if (data.byteLength > LIMITS.frameBytes.value) return drop('the relay sent a frame beyond the limit');
      handlers.received(new Uint8Array(data));
    };
    socket.onclose = ({ code, reason }) =>
      end({ code, reason: code === LOST ? 'refused or lost; a browser does not say why' : reason });
    return {
      send: (bytes) => {
        if (isOver || socket.readyState !== OPEN) return;
        if (socket.bufferedAmount > UNSENT_BYTES) drop('the relay does not read');
        else socket.send(bytes);
      },
      close: (code) => {
        if (!isOver) socket.close(code);
      },
      drop: () => drop('given up'),
    };
  };
}

const NO_SOCKET: Socket = { send() {}, close() {}, drop() {} };

function isBytes(data: unknown): data is ArrayBuffer {
  return typeof data === 'object' && data !== null && 'byteLength' in data;
}
