/** The bare peer: `ws` and nothing else (ws-protocol.ts). With a log, nobody is told of a message before it is durable there. */
import { createServer, type Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import type { GroupLog } from './group-log.ts';
import { NUMBER_BYTES, READER } from './ws-protocol.ts';

const WELCOME = new Uint8Array([READER]);
/** Of one message; what the tester sends is smaller. */
const MOST_BYTES = 1_048_576;

interface Seat {
  readonly topic: string;
  readonly isReader: boolean;
}

export function createWsServer(log?: GroupLog): Server {
  const readers = new Map<string, Set<WebSocket>>();
  const seats = new WeakMap<WebSocket, Seat>();

  function take(this: WebSocket, data: Buffer): void {
    const seat = seats.get(this);
    if (!seat) sit(this, data);
    else if (seat.isReader) log?.append(data);
    else if (log) log.append(data, () => handOn(this, seat, data));
    else handOn(this, seat, data);
  }

  function sit(socket: WebSocket, data: Buffer): void {
    const [role] = data;
    const topic = data.toString('utf8', 1);
    seats.set(socket, { topic, isReader: role === READER });
    if (role === READER) {
      const own = readers.get(topic) ?? new Set();
      readers.set(topic, own.add(socket));
      socket.on('close', () => {
        own.delete(socket);
        if (own.size === 0) readers.delete(topic);
      });
    }
    socket.send(WELCOME);
  }

  function handOn(from: WebSocket, { topic }: Seat, data: Buffer): void {
    for (const reader of readers.get(topic) ?? []) reader.send(data);
    from.send(data.subarray(0, NUMBER_BYTES));
  }

  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: MOST_BYTES,
  });
  const server = createServer();
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on('message', take);
      ws.on('error', () => ws.terminate());
    }),
  );
  return server;
}
