/** A link of the loopback to a server that breaks, or answers in its place, after so many bytes as a test says. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const NOT_NOW = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';

/** Happens when so many more bytes have gone through, in either direction: in the middle of whatever they are. */
export interface LinkFault {
  readonly afterBytes: number;
  readonly kind: 'cut' | 'not-now' | 'kill';
}

export class FaultyLink {
  readonly #server: Server;
  readonly #target: number;
  readonly #kill: () => void;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #faults: LinkFault[] = [];
  #left = Number.POSITIVE_INFINITY;

  private constructor(server: Server, target: number, kill: () => void) {
    this.#server = server;
    this.#target = target;
    this.#kill = kill;
    server.on('connection', (client) => this.#join(client));
  }

  /** `kill`: what the fault of that name does, beside cutting. */
  static async to(target: number, kill: () => void): Promise<FaultyLink> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultyLink(server, target, kill);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Faults that have not happened yet. */
  get pending(): number {
    return this.#faults.length;
  }

  /** One after the other. */
  plan(faults: readonly LinkFault[]): void {
    this.#faults = [...faults];
    this.#left = this.#faults[0]?.afterBytes ?? Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#cut();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [server, client] as const]) {
      from.on('data', (bytes: Buffer) => this.#pass(bytes, from, to));
      from.on('error', () => undefined);
      from.on('end', () => to.end());
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  #pass(bytes: Buffer, from: Socket, to: Socket): void {
    const through = bytes.subarray(0, this.#left);
    this.#left -= through.length;
    if (!to.write(through)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
    if (this.#left === 0) this.#strike();
  }

  #strike(): void {
    const [{ kind }] = this.#faults as [LinkFault];
    this.plan(this.#faults.slice(1));
    if (kind === 'kill') this.#kill();
    if (kind === 'not-now') for (const [client] of this.#pairs) client.write(NOT_NOW);
    this.#cut();
  }

  #cut(): void {
    for (const [client, server] of [...this.#pairs]) {
      client.destroySoon();
      server.destroy();
    }
  }
}
