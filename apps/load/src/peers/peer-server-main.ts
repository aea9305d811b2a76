/** A peer as a process of its own: `peer-server-main ws|ws-log|socket.io FOLDER`. Says its port, and serves the loopback until it is ended. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GroupLog } from './group-log.ts';
import { createWsServer } from './ws-server.ts';

const SERVERS: Readonly<Record<string, (folder: string) => Server | Promise<Server>>> = {
  ws: () => createWsServer(),
  'ws-log': (folder) => createWsServer(new GroupLog(join(folder, 'log'))),
  'socket.io': async () => (await import('./socket-io-server.ts')).attachTo(createServer()),
};

const [kind = '', folder = ''] = process.argv.slice(2);
const make = SERVERS[kind];
if (!make) throw new Error(`no such peer: ${kind}`);
const server = await make(folder);
server.listen(0, '127.0.0.1', () => process.stdout.write(`listens on ${(server.address() as AddressInfo).port}.\n`));
// Whoever started it is gone: so is what it was for.
process.stdin.on('end', () => process.exit()).resume();
process.on('SIGTERM', () => process.exit());
