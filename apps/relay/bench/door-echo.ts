/**
 * An echo of `ws` for doors.ts, which says its process's number first and its port on standard output: `alone` on a port of its own,
 * `round-robin|shared COUNT` by Node's cluster, `inherited` on the listening socket that is descriptor 9.
 */
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const [way, count] = process.argv.slice(2);
const isPrimary = cluster.isPrimary && (way === 'round-robin' || way === 'shared');

if (isPrimary) lead();
else serve();

function lead(): void {
  cluster.schedulingPolicy = way === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR;
  let listening = 0;
  cluster.on('listening', (_worker, { port }) => {
    if (++listening === Number(count)) console.log(port);
  });
  for (let i = 0; i < Number(count); i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
    process.exit(0);
  });
}

function serve(): void {
  const server = createServer();
  const wss = new WebSocketServer({ server, perMessageDeflate: false });
  wss.on('connection', (ws) => {
    ws.send(String(process.pid));
    ws.on('message', (data) => ws.send(data));
  });
  const isListening = () => {
    if (!cluster.isWorker) console.log((server.address() as AddressInfo).port);
  };
  if (way === 'inherited') server.listen({ fd: 9 }, isListening);
  else server.listen(0, '127.0.0.1', isListening);
}
