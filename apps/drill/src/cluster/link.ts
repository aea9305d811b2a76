/**
 * A TCP link that the drill can harm: cut (connections break, new ones are refused), silence (bytes stop, nothing is closed); that is long
 * (bytes take their time); and that can be led elsewhere.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

export class Link {
  readonly #server: Server;
  /** With the port that each leads to. */
  readonly #sockets = new Map<Socket, number>();
  #target: number;
  #state: 'whole' | 'cut' | 'silent' = 'whole';

  private constructor(target: number, delayMs: number) {
    this.#target = target;
    /** In order: timers of one length run in the order in which they were set. */
    const later = (run: () => void) => (delayMs === 0 ? run() : setTimeout(run, delayMs));
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      if (this.#state === 'cut') {
        near.destroy();
        return;
      }
      const port = this.#target;
      const far = connect({ port, host: HOST, allowHalfOpen: true });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.set(from, port);
        from.on('data', (chunk) =>
          later(() => {
            if (!to.destroyed && !to.write(chunk)) from.pause();
          }),
        );
        to.on('drain', () => {
          if (this.#state === 'whole') from.resume();
        });
        from.on('end', () => later(() => to.end()));
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          later(() => to.destroy());
        });
        if (this.#state === 'silent') from.pause();
      }
    });
  }

  /** To a port of this machine. `delayMs`: of each byte, there and back each. */
  static async to(target: number, delayMs = 0): Promise<Link> {
    const link = new Link(target, delayMs);
    link.#server.listen(0, HOST);
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** New connections go to that port from now on; those that are open stay where they are. */
  lead(target: number): void {
    this.#target = target;
  }

  /** Breaks what is open, or what of it leads to `target`, and takes what is new. */
  break(target?: number): void {
    for (const [socket, port] of this.#sockets) if (target === undefined || port === target) socket.destroy();
  }

  cut(): void {
    this.#state = 'cut';
    this.break();
  }

  silence(): void {
    this.#state = 'silent';
    for (const socket of this.#sockets.keys()) socket.pause();
  }

  /** Whole again: what was held back goes on. */
  mend(): void {
    this.#state = 'whole';
    for (const socket of this.#sockets.keys()) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
