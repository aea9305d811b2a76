/** A quiet device that writes to itself, and a plain HTTP connection: how long each thing takes that is asked for, at the times of a fixed schedule. */
import { Agent, get } from 'node:http';
import { decodeServerFrame, encodeClientFrame } from '@sealwire/wire/frame-codec';
import { type ClientFrame, type ServerFrame, SUBPROTOCOL } from '@sealwire/wire/frames';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import { WebSocket } from 'ws';
import type { Credentials } from './protocol.ts';

/** Of all quiet clients: an id that came before would be a repeat. */
let count = 0;

/** Below the budget of pings. */
const EVERY_MS = 25;

export const ASKED = ['ping', 'message', 'livez'] as const;
export type Asked = (typeof ASKED)[number];
/** ms, from the scheduled time; what was not answered has at least the time until the end. */
export type Latencies = Record<Asked, number[]>;

async function open(port: number, token: string, onFrame: (frame: ServerFrame) => void): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/relay`, [SUBPROTOCOL], { perMessageDeflate: false });
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  ws.send(encodeClientFrame({ kind: 'hello', token, lane: 'both', client: 'quiet' }));
  let isCaughtUp = false;
  await new Promise<void>((resolve) => {
    ws.on('message', (data: Buffer) => {
      const frame = decodeServerFrame(data);
      if (isCaughtUp) onFrame(frame);
      isCaughtUp ||= frame.kind === 'caught-up';
      if (isCaughtUp) resolve();
    });
  });
  return ws;
}

export class Quiet {
  private readonly begun = new Map<string, number>();
  private latencies: Latencies = { ping: [], message: [], livez: [] };
  private readonly agent = new Agent({ keepAlive: true });
  private ws!: WebSocket;
  private isOpen = true;

  private constructor(
    private readonly port: number,
    private readonly device: DeviceId,
  ) {}

  static async open(port: number, { device, token }: Credentials): Promise<Quiet> {
    const quiet = new Quiet(port, device as DeviceId);
    quiet.ws = await open(port, token, (frame) => quiet.heard(frame));
    quiet.ws.on('close', (code) => {
      if (quiet.isOpen) throw new Error(`the quiet client was closed: ${code}`);
    });
    return quiet;
  }

  async measure(ms: number): Promise<Latencies> {
    this.latencies = { ping: [], message: [], livez: [] };
    const start = performance.now();
    for (let at = start; at < start + ms; at += EVERY_MS) {
      await new Promise((resolve) => setTimeout(resolve, at - performance.now()));
      this.ask(at);
    }
    const end = performance.now() + 2_000;
    while (this.begun.size > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const key of this.begun.keys()) this.answered(key.split(' ')[0] as Asked, Number(key.split(' ')[1]));
    return this.latencies;
  }

  close(): void {
    this.isOpen = false;
    this.agent.destroy();
    this.ws.terminate();
  }

  private ask(at: number): void {
    const number = ++count;
    for (const what of ASKED) this.begun.set(`${what} ${number}`, at);
    const id = new Uint8Array(16) as MessageId;
    const view = new DataView(id.buffer);
    view.setUint32(0, number);
    view.setFloat64(8, performance.timeOrigin);
    const parts = [{ device: this.device, content: new Uint8Array(1) }];
    this.say({ kind: 'ping', nonce: number });
    this.say({ kind: 'send', id, body: new Uint8Array(100), parts, allDevices: false, ownElsewhere: false });
    get({ port: this.port, path: '/livez', agent: this.agent }, (response) => {
      response.resume().on('end', () => this.answered('livez', number));
    }).on('error', () => {});
  }

  private say(frame: ClientFrame): void {
    this.ws.send(encodeClientFrame(frame));
  }

  private heard(frame: ServerFrame): void {
    if (frame.kind === 'pong') this.answered('ping', frame.nonce);
    if (frame.kind === 'rejected') throw new Error(`a quiet message was refused: ${frame.code}`);
    if (frame.kind !== 'deliver') return;
    this.answered('message', new DataView(frame.id.buffer, frame.id.byteOffset).getUint32(0));
    this.say({ kind: 'ack', upTo: frame.seq });
  }

  private answered(what: Asked, number: number): void {
    const at = this.begun.get(`${what} ${number}`);
    if (at === undefined) return;
    this.begun.delete(`${what} ${number}`);
    this.latencies[what].push(performance.now() - at);
  }
}
