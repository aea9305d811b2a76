/** What `ws` tells of a socket, handed to whoever is behind it. All sockets share the handlers: a socket costs no closures. */
import type { WebSocket } from 'ws';

export interface SocketPeer {
  /** A message of the peer. */
  receive(raw: Buffer, isBinary: boolean): void;
  /** RFC 6455 section 5.5.2. */
  pinged(data: Buffer): void;
  ponged(data: Buffer): void;
  /** The socket is gone, whoever ended it. */
  gone(code: number): void;
}

const PEER = Symbol('peer');
type Attached = WebSocket & { [PEER]?: SocketPeer };

export function attach(ws: WebSocket, peer: SocketPeer): void {
  (ws as Attached)[PEER] = peer;
  ws.on('message', onMessage).on('ping', onPing).on('pong', onPong).on('close', onClose).on('error', onError);
}

function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
  (this as Attached)[PEER]?.receive(data, isBinary);
}

function onPing(this: WebSocket, data: Buffer): void {
  (this as Attached)[PEER]?.pinged(data);
}

function onPong(this: WebSocket, data: Buffer): void {
  (this as Attached)[PEER]?.ponged(data);
}

function onClose(this: WebSocket, code: number): void {
  (this as Attached)[PEER]?.gone(code);
}

/** `ws` closes the socket with the right code by itself (1002, 1007, 1009); the close is what is counted. */
function onError(): void {}
