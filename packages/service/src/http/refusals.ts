/** Answers of the server in front of its doors: to what reaches none of them, and to what does not end. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem } from './problem.ts';

/** A body that is not all there after `ms` is one that never ends. */
export function cutOff(request: IncomingMessage, response: ServerResponse, ms: number): void {
  const { headers, socket } = request;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return;
  const timer = setTimeout(() => {
    if (request.complete) return;
    if (!response.headersSent) refuseSocket(socket, '408 Request Timeout');
    socket.destroySoon();
  }, ms);
  const stop = () => clearTimeout(timer);
  request.once('end', stop).once('close', stop);
}

export function refuse(response: ServerResponse, problem: Problem): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(problem.status, problem.headers());
  response.end(problem.body());
}

/** Where the request ends is not known for sure, so nothing after it is one. */
export function refuseAndClose(response: ServerResponse, problem: Problem): void {
  response.setHeader('connection', 'close');
  refuse(response, problem);
}

export function refuseSocket(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
