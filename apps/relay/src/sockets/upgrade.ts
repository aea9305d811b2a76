/**
 * From an HTTP upgrade to a socket (house section 5, hop 0). Browsers say where their page came from and are held to a list (S72: a
 * foreign page must not open a socket in the name of its visitor); programs say nothing and need nothing, since a socket is nobody's
 * until its first frame brings a token. A token in the URL would end in the logs of every proxy, so the URL has no query at all.
 */

import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem } from '@sealwire/service/problem';
import { SUBPROTOCOL } from '@sealwire/wire/frames';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { RelaySettings } from '../settings.ts';

/** After our Close frame a peer has this long to answer before the socket is cut. */
const CLOSE_TIMEOUT_MS = 5_000;
// The whole of a frame in the smallest segments that an honest network makes.
const BUFFERED_CHUNKS = 4_096;

type UpgradeSettings = Pick<RelaySettings, 'path' | 'allowedOrigins' | 'frameBytes' | 'fragmentsPerFrame'>;

/** Answers an upgrade: with a socket handed to `opened`, or with a problem. `refuse` says why not now. */
export function createUpgrade(
  settings: UpgradeSettings,
  refuse: () => Problem | undefined,
  opened: (ws: WebSocket, socket: Duplex, request: IncomingMessage) => void,
): (request: IncomingMessage, socket: Duplex, head: Uint8Array) => void {
  const options: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: settings.frameBytes,
    maxFragments: settings.fragmentsPerFrame,
    maxBufferedChunks: BUFFERED_CHUNKS,
    // A ping is answered like any other frame: within the turn and the budget of its socket.
    autoPong: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: () => SUBPROTOCOL,
  };
  const server = new WebSocketServer(options);
  return (request, socket, head) => {
    const problem = faultOf(request, settings) ?? refuse();
    if (problem) {
      answer(socket, problem);
      return;
    }
    server.handleUpgrade(request, socket, Buffer.from(head), (ws) => opened(ws, socket, request));
  };
}

function faultOf(request: IncomingMessage, { path, allowedOrigins }: UpgradeSettings): Problem | undefined {
  const url = request.url ?? '';
  if (url.includes('?'))
    return new Problem('bad-request', { detail: 'this URL takes no query: the token comes in the first frame' });
  if (url !== path) return new Problem('not-found');
  const { origin } = request.headers;
  if (origin !== undefined && !allowedOrigins.includes(origin))
    return new Problem('forbidden', {
      detail: 'pages of this origin may not open a socket: ALLOWED_ORIGINS names those that may',
    });
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!offered.includes(SUBPROTOCOL))
    return new Problem('bad-request', { detail: `the subprotocol is ${SUBPROTOCOL}` });
  return undefined;
}

function answer(socket: Duplex, problem: Problem): void {
  const body = problem.body();
  const headers = { ...problem.headers(), 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}
