/**
 * The peers that we are compared with: `ws`, the same topology, nobody authenticated. `bare` stores
 * nothing; `logged` tells nobody of a message before it is durable in a log, and logs what recipients
 * acknowledge. `broadcast` stores nothing, and hands what socket 0 sends to every other one.
 */
import { createServer, type Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import type { GroupLog } from './group-log.ts';

const ACK = Buffer.alloc(20, 0x12);

/** The first message of a socket is its number: even ones send to the next odd one, odd ones acknowledge. */
export function createBareServer(log?: GroupLog, isBroadcast = false): Server {
  const sockets = new Map<number, WebSocket>();
  const wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: 131_072,
  });
  const numbers = new WeakMap<WebSocket, number>();

  function onMessage(this: WebSocket, data: Buffer): void {
    const number = numbers.get(this);
    if (number === undefined) {
      const own = data.readUInt32BE(0);
      numbers.set(this, own);
      sockets.set(own, this);
      this.send(ACK);
    } else if (number % 2 === 1) {
      log?.append(data);
    } else if (log) {
      log.append(data, () => forward(this, number, data));
    } else {
      forward(this, number, data);
    }
  }

  function forward(from: WebSocket, number: number, data: Buffer): void {
    if (isBroadcast) for (const socket of sockets.values()) socket !== from && socket.send(data);
    else sockets.get(number + 1)?.send(data);
    from.send(ACK);
  }

  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (ws) => {
      ws.on('message', onMessage);
    });
  });
  return server;
}
