/**
 * How much of one HTTP connection a turn of the event loop takes (docs/adr/0021-a-turn-for-each-socket.md). Node parses all that a read brings,
 * 64 KiB or two thousand of the shortest requests, and hands them all to the server at once (pipelining, RFC 9112 section 9.3.2). Here they
 * are served one after the other, as nginx does it: what is behind a request that is not answered stays in the bytes that it came in.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

/** Parsed of a connection a turn, beside what is sure to be a body of a given length. */
const TURN_BYTES = 8 * 1_024;
/** The same of a body in chunks, each of which may be a byte and costs as much as a large one. */
const CHUNKED_TURN_BYTES = 1_024;
/** Parsed at once where a request begins: ten of the shortest. It doubles while none does. */
const FIRST_BYTES = 256;
/** Forty of the shortest. What a read brings is mostly less, and one request. */
const MOST_BYTES = 1_024;

const FLOW = Symbol('request flow');
type Paced = Socket & { [FLOW]?: RequestFlow };

/** Before the first connection. Adds no answer of its own. */
export function paceRequests(server: Server | TlsServer): void {
  // Of TLS the bytes that are parsed come in a socket of their own.
  const opened = 'setSecureContext' in server ? 'secureConnection' : 'connection';
  server.on(opened, (socket: Paced) => {
    // Node's own listener, which is the parser.
    const [parse] = socket.listeners('data') as ((bytes: Buffer) => void)[];
    if (parse) socket[FLOW] = new RequestFlow(socket, parse);
  });
  server.on('request', (request, response) => (request.socket as Paced)[FLOW]?.began(request, response));
}

/** The connection is no longer one of requests. Answers what came behind the upgrade: `head`, and what was not parsed. */
export function leaveRequests(socket: Paced, head: Buffer): Buffer {
  const rest = socket[FLOW]?.leave();
  return rest ? Buffer.concat([head, rest]) : head;
}

class RequestFlow {
  /** Came, and is not parsed. */
  private rest: Buffer | undefined;
  private last: IncomingMessage | undefined;
  /** Bytes that are sure to be of its body. */
  private bodyLeft = 0;
  private begun = 0;
  private unanswered = 0;
  /** Goes on in the next turn. */
  private scheduled = false;

  constructor(
    private readonly socket: Socket,
    private readonly parse: (bytes: Buffer) => void,
  ) {
    socket.off('data', parse).on('data', this.came).on('resume', this.resumed);
  }

  began(request: IncomingMessage, response: ServerResponse): void {
    this.begun++;
    this.unanswered++;
    this.last = request;
    this.bodyLeft = Number(request.headers['content-length'] ?? 0);
    response.once('close', this.answered);
  }

  leave(): Buffer | undefined {
    const { rest } = this;
    this.rest = undefined;
    this.socket.off('data', this.came).off('resume', this.resumed);
    return rest;
  }

  private readonly came = (bytes: Buffer): void => {
    if (this.rest) {
      this.rest = Buffer.concat([this.rest, bytes]);
      this.socket.pause();
      return;
    }
    this.rest = bytes;
    this.parseSome();
  };

  /** Whoever reads a body resumes the socket, and knows nothing of what waits here. */
  private readonly resumed = (): void => {
    if (this.rest) this.socket.pause();
  };

  private readonly answered = (): void => {
    this.unanswered--;
    if (this.rest) this.schedule();
  };

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    this.scheduled = false;
    if (!this.rest || this.socket.destroyed) return;
    this.parseSome();
    if (!this.rest && this.hasRoom) this.socket.resume();
  };

  private parseSome(): void {
    let left = this.isChunked ? CHUNKED_TURN_BYTES : TURN_BYTES;
    let most = this.rest && this.rest.length <= MOST_BYTES ? MOST_BYTES : FIRST_BYTES;
    while (this.rest && left > 0 && this.mayGoOn) {
      const { rest, begun } = this;
      const bytes = rest.subarray(0, Math.max(this.bodyLeft, Math.min(most, left)));
      this.rest = rest.length > bytes.length ? rest.subarray(bytes.length) : undefined;
      this.parse.call(this.socket, bytes);
      if (this.bodyLeft < bytes.length) left -= bytes.length;
      // The head of a request that began in these bytes counts as body: what is left then is body in any case.
      this.bodyLeft = Math.max(0, this.bodyLeft - bytes.length);
      if (this.isChunked) left = Math.min(left, CHUNKED_TURN_BYTES);
      most = this.begun > begun ? FIRST_BYTES : Math.min(2 * most, MOST_BYTES);
    }
    if (!this.rest) return;
    this.socket.pause();
    if (this.mayGoOn) this.schedule();
  }

  /** All is answered, or the last request is not all here. */
  private get mayGoOn(): boolean {
    return this.unanswered === 0 || this.last?.complete === false;
  }

  private get isChunked(): boolean {
    const { last } = this;
    return last?.complete === false && last.headers['transfer-encoding'] !== undefined;
  }

  /** Else whoever reads the body resumes the socket. */
  private get hasRoom(): boolean {
    const { last } = this;
    return !last || last.complete || last.readableLength < last.readableHighWaterMark;
  }
}
