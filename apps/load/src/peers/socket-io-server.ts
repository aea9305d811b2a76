/** The peer on socket.io: rooms, a broadcast to the room, and its own acknowledgement to the writer. Nothing is kept. */
import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';

export function attachTo(server: HttpServer): HttpServer {
  new Server(server, { transports: ['websocket'], serveClient: false }).on('connection', (socket) => {
    socket.on('join', (topic: string, done: () => void) => {
      void socket.join(topic);
      done();
    });
    socket.on('message', (topic: string, content: Buffer, accepted: () => void) => {
      socket.to(topic).emit('message', content);
      accepted();
    });
  });
  return server;
}
