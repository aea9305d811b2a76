/** The peer that we are compared with: `ws`, the same topology, nothing stored, nobody authenticated. */
import { createServer, type Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

const ACK = Buffer.alloc(20, 0x12);

/** The first message of a socket is its number: even ones send to the next odd one. */
export function createBareServer(): Server {
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
      return;
    }
    sockets.get(number + 1)?.send(data);
    this.send(ACK);
  }

  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (ws) => {
      ws.on('message', onMessage);
    });
  });
  return server;
}
