/** socket.io, server and client as npm has them. */
import { once } from 'node:events';
import type { Socket } from 'socket.io-client';
import type { Member } from '../traffic/member.ts';
import { contentOf, type Joining, plainTarget } from './plain-target.ts';
import { endProcess, untilItSays } from './processes.ts';
import { orAbsent, type Target, versionOf } from './target.ts';
import { portIn } from './ws.ts';

export const SOCKET_IO: Target = {
  name: 'socket.io',
  promise: {
    accepted: 'when it was written to the sockets of its readers',
    isDurable: false,
    isKept: false,
    isAuthenticated: false,
  },
  async start({ folder, startProgram }) {
    const { io } = await orAbsent(() => import('socket.io-client'), 'npm install socket.io socket.io-client');
    await orAbsent(() => import('socket.io'), 'npm install socket.io');
    const child = startProgram('peer-server', ['socket.io', folder]);
    const port = portIn(await untilItSays(child, 'socket.io', '.\n'));
    const join: Joining = (device, { topic, isWriter, writer, filling }, events) => {
      let socket: Socket | undefined;
      const member: Member = {
        device,
        get isOnline() {
          return socket?.connected === true;
        },
        async open() {
          const opened = io(`http://127.0.0.1:${port}`, {
            transports: ['websocket'],
            forceNew: true,
            reconnection: false,
          });
          socket = opened;
          await once(opened as unknown as NodeJS.EventEmitter, 'connect');
          if (isWriter) return;
          opened.on('message', (content: Buffer) => events.received(writer, content));
          await opened.emitWithAck('join', topic);
        },
        send(number, header) {
          socket?.emit('message', topic, contentOf(header, filling), () => events.accepted(number));
        },
        async close() {
          socket?.disconnect();
        },
      };
      return member;
    };
    return plainTarget({
      version: versionOf('socket.io'),
      pids: [child.pid!],
      join,
      stop: () => endProcess(child),
    });
  },
};
