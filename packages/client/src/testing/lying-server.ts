/**
 * A server that takes anybody in and means harm: registration and login are answered as documented, everything else as the test says.
 * It bounds what it offers, so that a client without bounds fails a test and not the machine.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeServerFrame } from '@sealwire/wire/frame-codec';
import { type ServerFrame, SUBPROTOCOL } from '@sealwire/wire/frames';
import { parseDeviceId } from '@sealwire/wire/ids';
import { decodeRequest, encodeAnswer, LIME_CONTENT_TYPE } from '@sealwire/wire/lime-server';
import { type WebSocket, WebSocketServer } from 'ws';

const DOMAIN = 'example.org';
const TURN = 64;
const AHEAD_BYTES = 1_024 * 1_024;
const LIFE_MS = 15 * 60_000;

export interface Malice {
  /** Begins when a link is welcomed. */
  relay?(link: HostileLink): void;
  /** Answers what is asked of manifests and of the account's devices. */
  http?(request: IncomingMessage, response: ServerResponse): void;
}

export class HostileLink {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  say(frame: ServerFrame): void {
    this.#socket.send(encodeServerFrame(frame));
  }

  ping(): void {
    this.#socket.ping('ping');
  }

  /** Calls `send` again and again, as fast as the network takes it, until it answers false or the link is gone. */
  flood(send: () => boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    for (let turn = 0; turn < TURN && this.#socket.bufferedAmount < AHEAD_BYTES; turn++) if (!send()) return;
    setImmediate(() => this.flood(send));
  }
}

export class LyingServer {
  readonly origin: string;
  malice: Malice = {};
  readonly #http: Server;
  readonly #relay = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL });

  private constructor(http: Server) {
    this.#http = http;
    this.origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  }

  static async listen(): Promise<LyingServer> {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const server = new LyingServer(http);
    http.on('request', (request, response) => void server.#answer(request, response));
    http.on('upgrade', (request, socket, head) =>
      server.#relay.handleUpgrade(request, socket, head, (upgraded) => server.#welcome(upgraded)),
    );
    return server;
  }

  /** Ends every connection and begins anew, with other lies. */
  lie(malice: Malice): void {
    this.malice = malice;
    for (const socket of this.#relay.clients) socket.terminate();
    this.#http.closeAllConnections();
  }

  close(): void {
    this.lie({});
    this.#http.close();
  }

  #welcome(socket: WebSocket): void {
    socket.on('error', () => undefined);
    socket.once('message', () => {
      const link = new HostileLink(socket);
      const serverTime = Date.now();
      const device = parseDeviceId(`sip:alice@${DOMAIN};gr=urn:uuid:1`);
      link.say({ kind: 'welcome', device, serverTime, expiresAt: serverTime + LIFE_MS, window: 2 ** 32 - 1 });
      this.malice.relay?.(link);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    const json = (answer: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    const expiresAt = Date.now() + LIFE_MS;
    switch (request.url) {
      case '/.well-known/sealwire':
        return void json({
          domain: DOMAIN,
          api: '/v1',
          lime: '/lime',
          directory: '/directory',
          relay: '/relay',
          gate: 'open',
          version: '0',
        });
      case '/v1/accounts':
        return void json({ address: `sip:alice@${DOMAIN}`, createdAt: 1 });
      case '/v1/login/challenge':
        return void json({ challenge: 'challenge', expiresAt });
      case '/v1/login/token':
        return void json({ token: 'token', expiresAt });
      case '/lime': {
        const { kind, suite } = decodeRequest(body);
        const answer =
          kind === 'getSelfOneTimePrekeys'
            ? ({ kind: 'selfOneTimePrekeys', suite, ids: [] } as const)
            : ({ kind: 'ack', suite, request: kind } as const);
        return void response.setHeader('content-type', LIME_CONTENT_TYPE).end(encodeAnswer(answer));
      }
      default:
        if (this.malice.http) this.malice.http(request, response);
        else response.writeHead(404).end();
    }
  }
}
