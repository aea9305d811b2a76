/**
 * Ways to put several processes behind one port (docs/adr/0036): Node's cluster (its own round robin, and a handle that all accept from),
 * `SO_REUSEPORT`, and a range behind nginx with the configuration that operators get. How even sockets lie over four processes, when they
 * are opened and after half of them went and as many came; and CPU microseconds a message of a plain `ws` echo, all processes counted.
 *   node --conditions=@sealwire/source --import ../../infra/scripts/swc-loader.mjs bench/doors.ts
 * `SO_REUSEPORT` is set by python3, since Node 20 cannot.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { processorTime } from '../../../packages/store/bench/processor-time.ts';
import { startNginx } from './nginx.ts';

const PROCESSES = 4;
const SOCKETS = 400;
const MESSAGES_EACH = 100;
const BODY = Buffer.alloc(1_024, 7);
const LOADER = new URL('../../../infra/scripts/swc-loader.mjs', import.meta.url).pathname;
const ECHO = new URL('./door-echo.ts', import.meta.url).pathname;
const NODE = ['--conditions=@sealwire/source', '--disable-warning=ExperimentalWarning', '--import', LOADER, ECHO];
const BIND = `
import os, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(511)
os.dup2(s.fileno(), 9)
os.execvp(sys.argv[2], sys.argv[2:])
`;

interface Door {
  readonly port: number;
  readonly pids: readonly number[];
  end(): Promise<void>;
}

async function started(command: string, args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, port: Number(line.toString()) };
}

async function end(children: readonly ChildProcess[]): Promise<void> {
  const ended = children.map((child) => once(child, 'close'));
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(ended);
}

const pidsOf = (children: readonly ChildProcess[]) => children.map(({ pid }) => pid!);

/** One process on its own port: what a door is compared with. */
async function direct(): Promise<Door> {
  const { child, port } = await started(process.execPath, [...NODE, 'alone']);
  return { port, pids: pidsOf([child]), end: () => end([child]) };
}

async function cluster(scheduling: 'round-robin' | 'shared'): Promise<Door> {
  const { child, port } = await started(process.execPath, [...NODE, scheduling, String(PROCESSES)]);
  return { port, pids: pidsOf([child]), end: () => end([child]) };
}

async function reusePort(): Promise<Door> {
  const children: ChildProcess[] = [];
  let port = 0;
  for (let i = 0; i < PROCESSES; i++) {
    const one = await started('python3', ['-c', BIND, String(port), process.execPath, ...NODE, 'inherited']);
    ({ port } = one);
    children.push(one.child);
  }
  return { port, pids: pidsOf(children), end: () => end(children) };
}

async function range(): Promise<Door> {
  const all = await Promise.all(Array.from({ length: PROCESSES }, () => started(process.execPath, [...NODE, 'alone'])));
  const children = all.map(({ child }) => child);
  const front = await startNginx(all.map(({ port }) => port));
  return {
    port: front.port,
    pids: [...pidsOf(children), front.pid],
    async end() {
      await front.end();
      await end(children);
    },
  };
}

interface Client {
  readonly ws: WebSocket;
  /** Of the process that has the socket. */
  readonly pid: string;
}

async function open(port: number): Promise<Client> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/relay`, { perMessageDeflate: false });
  const [pid] = (await once(ws, 'message')) as [Buffer];
  return { ws, pid: pid.toString() };
}

async function openMany(port: number, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  for (let i = 0; i < count; i += 20) {
    const some = Array.from({ length: Math.min(20, count - i) }, () => open(port));
    clients.push(...(await Promise.all(some)));
  }
  return clients;
}

/** Sockets of the process that has fewest, and of the one that has most. */
function spread(clients: readonly Client[], processes: number): string {
  const counts = new Map<string, number>();
  for (const { pid } of clients) counts.set(pid, (counts.get(pid) ?? 0) + 1);
  const all = [...counts.values(), ...Array<number>(processes - counts.size).fill(0)];
  return `${Math.min(...all)} to ${Math.max(...all)}`;
}

async function closeSome(clients: readonly Client[]): Promise<void> {
  const closed = clients.map(({ ws }) => once(ws, 'close'));
  for (const { ws } of clients) ws.close();
  await Promise.all(closed);
}

async function echoes({ ws }: Client): Promise<void> {
  for (let i = 0; i < MESSAGES_EACH; i++) {
    ws.send(BODY);
    await once(ws, 'message');
  }
}

const spent = ({ pids }: Door) => pids.reduce((sum, pid) => sum + processorTime(pid), 0);

console.log('way | fewest to most of four, opened | after a change of half | CPU µs a message');
for (const [name, start, processes] of [
  ['one process, its own port', direct, 1],
  ['cluster, round robin', () => cluster('round-robin'), PROCESSES],
  ['cluster, one handle', () => cluster('shared'), PROCESSES],
  ['SO_REUSEPORT', reusePort, PROCESSES],
  ['nginx, least_conn', range, PROCESSES],
] as const) {
  const door = await start();
  let clients = await openMany(door.port, SOCKETS);
  const first = spread(clients, processes);
  // The same ones in each run and for each door.
  const chance = createHash('shake256', { outputLength: SOCKETS }).update('who goes').digest();
  await closeSome(clients.filter((_, i) => chance[i]! < 128));
  clients = clients.filter((_, i) => chance[i]! >= 128);
  clients.push(...(await openMany(door.port, SOCKETS - clients.length)));
  const later = spread(clients, processes);
  const before = spent(door);
  await Promise.all(clients.map(echoes));
  const micros = (spent(door) - before) / (SOCKETS * MESSAGES_EACH);
  console.log(`${name} | ${first} | ${later} | ${micros.toFixed(0)}`);
  for (const { ws } of clients) ws.terminate();
  await door.end();
}
