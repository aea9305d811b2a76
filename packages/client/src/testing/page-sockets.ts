/**
 * What a page's socket meets: a server in the hands of a test, and a class that behaves as a
 * browser's (`ws` has the same interface).
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { PageSocketClass } from '../browser/platform.ts';

class QuietWebSocket extends WebSocket {
  constructor(url: string, subprotocol: string) {
    super(url, subprotocol);
    // To a page an error is an event that nobody has to hear.
    this.on('error', () => {});
  }
}

export const PageWebSocket = QuietWebSocket as unknown as PageSocketClass;

export class SocketServer {
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
  }

  /** `answers`: the subprotocol that it picks; undefined: it names none. */
  static async listen(answers: string | undefined): Promise<SocketServer> {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: () => answers ?? false,
    });
    await once(server, 'listening');
    return new SocketServer(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next one that is opened. */
  async accept(): Promise<WebSocket> {
    const [socket] = (await once(this.#server, 'connection')) as [WebSocket];
    return socket;
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
