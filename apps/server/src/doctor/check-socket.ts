/**
 * A WebSocket through whatever stands before the relay: a real handshake, and a ping that is answered: by the relay with an error, since it
 * expects a hello first. A proxy that answers upgrades by itself, or holds frames back, passes the first and fails the second.
 */
import { type ClientRequest, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { type Finding, wordsOf } from './finding.ts';
import type { Means } from './means.ts';

const SUBPROTOCOL = 'sealwire.v1';
/** RFC 6455 wants 16 random bytes, so that caches answer nobody else's; nothing secret hangs on them. */
const KEY = 'c2VhbHdpcmUtZG9jdG9yLg==';
/** Masked by zeros, as a client must mask; and its answer. */
const PING = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);
/** A message, a close or a pong, each in one piece: what is no frame, such as a page of a proxy, begins otherwise. */
const ANSWERS = [0x82, 0x88, 0x8a];
const CLOSE = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);

const PROXY_FIX =
  'let the proxy pass upgrades on: HTTP/1.1, the headers Upgrade and Connection, no buffering (infra/nginx)';

/** `base`: PUBLIC_ORIGIN, with its path. */
export async function checkSocket(base: string, relayPath: string, means: Means): Promise<Finding> {
  const url = new URL(base + relayPath);
  try {
    const socket = await handshake(url, means);
    try {
      await pingPong(socket, means.patienceMs);
      return { name: 'relay', detail: `${url.href}: handshake and ping` };
    } finally {
      socket.end(CLOSE);
      socket.destroySoon?.();
    }
  } catch (error) {
    return { name: 'relay', detail: `${url.href}: ${wordsOf(error)}`, fix: PROXY_FIX };
  }
}

function handshake(url: URL, { patienceMs, authorities }: Means): Promise<Duplex & { destroySoon?: () => void }> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': KEY,
      'sec-websocket-protocol': SUBPROTOCOL,
    };
    const terms = { headers, timeout: patienceMs, agent: false as const };
    const asked: ClientRequest =
      url.protocol === 'https:'
        ? secureRequest(url, { ...terms, ...(authorities && { ca: [...authorities] }) })
        : request(url, terms);
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.once('error', reject);
    asked.once('response', (answer) => {
      answer.destroy();
      reject(new Error(`answers ${answer.statusCode} to an upgrade`));
    });
    asked.once('upgrade', (answer, socket, head) => {
      if (answer.headers['sec-websocket-protocol'] !== SUBPROTOCOL) {
        socket.destroy();
        return reject(new Error(`answers without the subprotocol ${SUBPROTOCOL}`));
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.end();
  });
}

function pingPong(socket: Duplex, patienceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the handshake passes, and a ping is not answered')), patienceMs);
    const settle = (end: () => void) => {
      clearTimeout(timer);
      end();
    };
    socket.once('error', (error) => settle(() => reject(error)));
    socket.once('close', () => settle(() => reject(new Error('the connection was closed after the handshake'))));
    socket.once('data', (bytes: Buffer) =>
      settle(() =>
        ANSWERS.includes(bytes[0]!) ? resolve() : reject(new Error('what comes back is no WebSocket frame')),
      ),
    );
    socket.write(PING);
  });
}
