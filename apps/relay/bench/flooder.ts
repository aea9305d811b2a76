/**
 * The flooding process: `node … flooder.ts PORT FLOOD-NUMBER VICTIM TOKEN…`, one token a socket. As fast as the server reads, up to a bound;
 * a socket that is closed is opened anew. Tells, when it is asked to end, what it got rid of.
 */
import { connect, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import type { DeviceId } from '@sealwire/wire/ids';
import { floodsOf, frameOf } from './floods.ts';
import { handshake } from './frames-by-hand.ts';

const [port = '', number = '', victim = '', ...tokens] = process.argv.slice(2);
const ROUND_MS = 10;
/** Of all sockets together: some 200 Mbit/s, and a connection each round. */
const BYTES_A_SECOND = 25_000_000;
const BYTES_A_ROUND = (BYTES_A_SECOND * ROUND_MS) / 1_000 / tokens.length;

// The quiet client shares the core.
setPriority(constants.priority.PRIORITY_LOW);

const { on, begin, bytes, token: badToken, anew = false } = floodsOf(victim as DeviceId, tokens[0]!)[Number(number)]!;
/** Close codes with which the relay ends a flood: the next one begins at once. */
const CLOSES = [4005, 4101, 4400].map((code) => Buffer.from([code >>> 8, code & 0xff]));
const counted = { bytes: 0, sockets: 0 };

class Flooding {
  private socket: Socket | undefined;
  private isOpen = false;

  constructor(private readonly token: string) {}

  round(): void {
    if (!this.socket) this.open();
    else if (this.isOpen && bytes.length > 0) this.write(this.socket);
  }

  private write(socket: Socket): void {
    for (let sent = 0; sent < BYTES_A_ROUND && socket.writableLength === 0; sent += bytes.length) {
      socket.write(bytes);
      counted.bytes += bytes.length;
      if (anew) {
        this.isOpen = false;
        return;
      }
    }
  }

  private open(): void {
    const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
    this.socket = socket;
    counted.sockets++;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.socket = undefined;
      this.isOpen = false;
    });
    socket.once('connect', () => {
      if (on === 'http') this.begun(socket, begin ?? '');
      else socket.write(handshake('/relay', 'sealwire.v1'));
    });
    socket.on('data', (answer: Buffer) => {
      if (on !== 'http' && CLOSES.some((close) => answer.includes(close))) socket.destroy();
      else if (on !== 'http' && !this.isOpen) {
        const hello = frameOf({ kind: 'hello', token: badToken ?? this.token, lane: 'both', client: 'flood' });
        this.begun(socket, on === 'hello' ? hello : '');
      }
    });
  }

  private begun(socket: Socket, first: string | Uint8Array): void {
    if (first.length > 0) socket.write(first);
    this.isOpen = true;
  }
}

const all = tokens.map((token) => new Flooding(token));
setInterval(() => {
  for (const flooding of all) flooding.round();
}, ROUND_MS);
process.once('message', () => process.send?.(counted, () => process.exit(0)));
process.on('disconnect', () => process.exit(1));
