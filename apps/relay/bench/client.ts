/** One socket of the generator. */

import { connect, type Socket } from 'node:net';
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import { FrameCutter, handshake, maskedFrame, varintAt } from './frames-by-hand.ts';
import type { Credentials, ServerKind } from './protocol.ts';

// Outer field numbers of ServerFrame (proto/relay.proto), as tag bytes.
const WELCOME = 0x0a;
const ACCEPTED = 0x12;
const DELIVER = 0x22;
const CAUGHT_UP = 0x32;
const ACCEPTED_ELEMENT_BYTES = 18;
const PONG_FRAME = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

export interface ClientEvents {
  accepted(count: number): void;
  delivered(seq: number): void;
}

export class BenchClient {
  events: ClientEvents;
  private ready = () => {};
  private readonly caughtUp: boolean;

  private constructor(
    readonly socket: Socket,
    private readonly kind: ServerKind,
    early: ClientEvents | undefined,
  ) {
    this.caughtUp = early === undefined;
    this.events = early ?? { accepted() {}, delivered() {} };
  }

  /** Resolves when the server has let it in: `ours` after the backlog, or, with `early`, after the welcome: the backlog follows in the same turn. */
  static open(port: number, kind: ServerKind, who: Credentials | number, early?: ClientEvents): Promise<BenchClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const client = new BenchClient(socket, kind, early);
      client.ready = () => resolve(client);
      socket.once('error', reject);
      socket.write(handshake('/relay', kind === 'ours' ? 'sealwire.v1' : undefined));
      let head = '';
      const onHead = (chunk: Buffer) => {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!head.startsWith('HTTP/1.1 101')) reject(new Error(head.slice(0, 200)));
        socket.off('data', onHead);
        client.listen(Buffer.from(head.slice(end + 4), 'latin1'));
        socket.write(maskedFrame(firstPayload(who)).frame);
      };
      socket.on('data', onHead);
    });
  }

  private listen(rest: Buffer): void {
    const cutter = new FrameCutter(this.kind === 'ours' ? this.onOurs : this.onBare, (opcode) => {
      if (opcode === 9) this.socket.write(PONG_FRAME);
      if (opcode === 8) this.socket.destroy();
    });
    this.socket.on('data', (chunk: Buffer) => cutter.push(chunk));
    if (rest.length > 0) cutter.push(rest);
  }

  private readonly onOurs = (buffer: Buffer, start: number): void => {
    const tag = buffer[start];
    if (tag === DELIVER) {
      // tag, length of the message, tag of seq, seq
      const { next } = varintAt(buffer, start + 1);
      this.events.delivered(varintAt(buffer, next + 1).value);
    } else if (tag === ACCEPTED) {
      this.events.accepted(varintAt(buffer, start + 1).value / ACCEPTED_ELEMENT_BYTES);
    } else if (tag === (this.caughtUp ? CAUGHT_UP : WELCOME)) {
      this.ready();
    } else if (tag !== WELCOME && tag !== CAUGHT_UP) {
      throw new Error(`unexpected frame, tag ${tag}: ${buffer.subarray(start, start + 200).toString('latin1')}`);
    }
  };

  private isIn = false;
  private readonly onBare = (_buffer: Buffer, start: number, end: number): void => {
    if (!this.isIn) {
      this.isIn = true;
      this.ready();
    } else if (end - start === 20) {
      this.events.accepted(1);
    } else {
      this.events.delivered(0);
    }
  };
}

function firstPayload(who: Credentials | number): Uint8Array {
  if (typeof who !== 'number')
    return encodeClientFrame({ kind: 'hello', token: who.token, lane: 'both', client: 'bench' });
  const number = Buffer.alloc(4);
  number.writeUInt32BE(who);
  return number;
}
