/** A client for tests: every frame is kept, and `next` waits for one of a kind. */
import { decodeServerFrame, encodeClientFrame } from '@sealwire/wire/frame-codec';
import { type ClientFrame, type Lane, type ServerFrame, SUBPROTOCOL } from '@sealwire/wire/frames';
import { type DeviceId, type MessageId, parseMessageId } from '@sealwire/wire/ids';
import { type ClientOptions, WebSocket } from 'ws';

type FrameOf<K extends ServerFrame['kind']> = Extract<ServerFrame, { kind: K }>;

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export class TestClient {
  /** Frames not yet asked for, in the order in which they came. */
  readonly frames: ServerFrame[] = [];
  readonly closed: Promise<Closed>;
  private waiting: (() => void)[] = [];

  private constructor(readonly ws: WebSocket) {
    ws.on('message', (data: Buffer) => {
      this.frames.push(decodeServerFrame(new Uint8Array(data)));
      for (const look of this.waiting.splice(0)) look();
    });
    ws.on('error', () => {});
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  /** A socket before its hello. Rejects with the HTTP status as message when the upgrade is refused. */
  static connect(url: string, options: ClientOptions = {}, protocols: string[] = [SUBPROTOCOL]): Promise<TestClient> {
    const ws = new WebSocket(url, protocols, { perMessageDeflate: false, ...options });
    const client = new TestClient(ws);
    return new Promise((resolve, reject) => {
      ws.once('open', () => resolve(client));
      ws.once('unexpected-response', (_request, response) => {
        response.resume();
        reject(new Error(String(response.statusCode)));
      });
    });
  }

  static async logIn(url: string, token: string, lane: Lane = 'both'): Promise<TestClient> {
    const client = await TestClient.connect(url);
    client.send({ kind: 'hello', token, lane, client: 'test' });
    await client.next('welcome');
    return client;
  }

  send(frame: ClientFrame): void {
    this.ws.send(encodeClientFrame(frame));
  }

  /** Sends a message to `devices`, each with `text` as body. */
  message(id: MessageId, devices: readonly DeviceId[], text: string, allDevices = false): void {
    const content = new Uint8Array([1]);
    const parts = devices.map((device) => ({ device, content }));
    this.send({ kind: 'send', id, body: new TextEncoder().encode(text), parts, allDevices, ownElsewhere: false });
  }

  ack(upTo: number): void {
    this.send({ kind: 'ack', upTo });
  }

  /** Takes the first frame of this kind out of `frames`, or waits for it. */
  async next<K extends ServerFrame['kind']>(kind: K): Promise<FrameOf<K>> {
    for (;;) {
      const at = this.frames.findIndex((frame) => frame.kind === kind);
      if (at >= 0) return this.frames.splice(at, 1)[0] as FrameOf<K>;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  async delivered(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) texts.push(textOf(await this.next('deliver')));
    return texts;
  }

  /** Resolves when everything sent so far has been handled. */
  async settled(): Promise<void> {
    const nonce = Math.floor(performance.now() * 1_000);
    this.send({ kind: 'ping', nonce });
    while ((await this.next('pong')).nonce !== nonce) {}
  }

  async end(): Promise<void> {
    this.ws.close(1000);
    await this.closed;
  }
}

export function textOf(frame: { readonly body: Uint8Array }): string {
  return new TextDecoder().decode(frame.body);
}

/** A message id that shows its number. */
export function messageId(number: number): MessageId {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, number);
  return parseMessageId(bytes);
}
