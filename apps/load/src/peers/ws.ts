/** The bare peers on `ws`: what a relay costs that nobody is known to, without and with a log. */
import { once } from 'node:events';
import WebSocket from 'ws';
import type { Member } from '../traffic/member.ts';
import { HEADER_BYTES } from '../traffic/payload.ts';
import { type Joining, plainTarget, type Seat } from './plain-target.ts';
import { endProcess, untilItSays } from './processes.ts';
import type { Target } from './target.ts';
import { NUMBER_BYTES, READER, WRITER } from './ws-protocol.ts';

/** As clients of the relay do (docs/spec/relay-protocol.md section 4). */
const ACK_AFTER_MS = 100;
const ACK_AFTER_MESSAGES = 32;

export const WS: Target = {
  name: 'ws',
  promise: {
    accepted: 'when it was written to the sockets of its readers',
    isDurable: false,
    isKept: false,
    isAuthenticated: false,
  },
  start: (starting) => startWs('ws', starting),
};

export const WS_LOG: Target = {
  name: 'ws-log',
  promise: {
    accepted: 'after fdatasync of a log, one for all that wait',
    isDurable: true,
    isKept: false,
    isAuthenticated: false,
  },
  start: (starting) => startWs('ws-log', starting),
};

const startWs = async (
  kind: 'ws' | 'ws-log',
  { folder, startProgram }: Parameters<Target['start']>[0],
): ReturnType<Target['start']> => {
  const child = startProgram('peer-server', [kind, folder]);
  const port = portIn(await untilItSays(child, kind, '.\n'));
  const doesKeep = kind === 'ws-log';
  const join: Joining = (device, seat, events) => {
    let socket: WebSocket | undefined;
    const reading = readingOf(seat, doesKeep, (bytes) => socket?.send(bytes));
    const member: Member = {
      device,
      get isOnline() {
        return socket?.readyState === WebSocket.OPEN;
      },
      async open() {
        const opened = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
        socket = opened;
        await once(opened, 'open');
        opened.send(Buffer.concat([Buffer.of(seat.isWriter ? WRITER : READER), Buffer.from(seat.topic)]));
        await once(opened, 'message');
        opened.on('error', () => opened.terminate());
        opened.on('message', (data: Buffer) => {
          if (seat.isWriter) return events.accepted(data.readUInt32BE(0));
          reading.came(data);
          events.received(seat.writer, data.subarray(NUMBER_BYTES));
        });
      },
      send(number, header) {
        const message = Buffer.allocUnsafe(NUMBER_BYTES + HEADER_BYTES + seat.filling.length);
        message.writeUInt32BE(number);
        message.set(header, NUMBER_BYTES);
        message.set(seat.filling, NUMBER_BYTES + HEADER_BYTES);
        socket?.send(message);
      },
      async close() {
        reading.end();
        socket?.close();
      },
    };
    return member;
  };
  return plainTarget({
    version: `Node ${process.versions.node}`,
    pids: [child.pid!],
    join,
    stop: () => endProcess(child),
  });
};

/** The port that a peer of ours says. */
export function portIn(said: string): number {
  return Number(/listens on (\d+)\./.exec(said)![1]);
}

/** Acknowledges the newest message together with those before it. */
function readingOf({ isWriter }: Seat, doesKeep: boolean, send: (bytes: Buffer) => void) {
  let newest: Buffer | undefined;
  let waiting = 0;
  let timer: NodeJS.Timeout | undefined;
  const acknowledge = () => {
    clearTimeout(timer);
    timer = undefined;
    waiting = 0;
    if (newest) send(newest);
    newest = undefined;
  };
  return {
    came(message: Buffer): void {
      if (isWriter || !doesKeep) return;
      newest = message.subarray(0, NUMBER_BYTES);
      if (++waiting >= ACK_AFTER_MESSAGES) acknowledge();
      else timer ??= setTimeout(acknowledge, ACK_AFTER_MS);
    },
    end: acknowledge,
  };
}
