/** For tests with real engines: a Redis of the test's own, which it may empty and kill, and a link to any server that can be cut. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Whether `redis-server` is installed here. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

export interface OwnRedis {
  readonly port: number;
  /** One command, its answer as the server wrote it. */
  command(...words: readonly string[]): Promise<string>;
  /** Ends it with SIGKILL and starts it empty, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Keeps nothing on the disk. */
export async function startRedis(): Promise<OwnRedis> {
  const port = await freePort();
  let child: ChildProcess;

  async function start(): Promise<void> {
    child = spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']);
    for await (const chunk of child.stdout!) if (`${chunk}`.includes('Ready to accept connections')) break;
  }
  async function stop(): Promise<void> {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  await start();
  return {
    port,
    async command(...words) {
      const socket = connect(port, '127.0.0.1');
      socket.write(`${words.join(' ')}\r\n`);
      const [answer] = await once(socket, 'data');
      socket.destroy();
      return `${answer}`;
    },
    async restart() {
      await stop();
      await start();
    },
    stop,
  };
}

export interface Link {
  readonly port: number;
  /** Ends all connections, and takes no new one. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** A port of the loopback that leads to another one. */
export async function linkTo(port: number, host = '127.0.0.1'): Promise<Link> {
  let isCut = false;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(port, host);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on('error', () => {}).pipe(other);
      socket.once('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    isCut = true;
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend() {
      isCut = false;
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
