/**
 * What a bridge to the SIP world would do: the relay for an admitted LIME device, which has no login key. It logs in by app password, passes
 * on what arrives, and sends what the device encrypted; it can read none of it (docs/spec/lime.md section 6, docs/spec/relay-protocol.md).
 */
import { connectSocket } from '@sealwire/client/node/transport';
import type { Socket, SocketClose } from '@sealwire/client/runtime';
import { systemRandom } from '@sealwire/crypto/random';
import { decodeEnvelope, encodeEnvelope } from '@sealwire/wire/envelope';
import { decodeServerFrame, encodeClientFrame } from '@sealwire/wire/frame-codec';
import { type Deliver, type Part, SUBPROTOCOL } from '@sealwire/wire/frames';
import { TokenAnswer } from '@sealwire/wire/http';
import { type AccountAddress, type DeviceId, parseMessageId } from '@sealwire/wire/ids';
import type { LimeLetter } from './liblime-account.ts';

const MESSAGE_ID_BYTES = 16;

export interface BridgeLogin {
  readonly origin: string;
  readonly device: DeviceId;
  readonly user: string;
  readonly password: string;
}

/** The token; rejects with the server's code. */
export async function loginByAppPassword({ origin, ...body }: BridgeLogin): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const url = `${origin}/v1/login/app-password`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = (await response.json()) as { code?: string };
  if (!response.ok) throw new Error(answer.code);
  return TokenAnswer.parse(answer).token;
}

export class Bridge {
  /** Resolves when the relay has closed the connection. */
  readonly closed: Promise<SocketClose>;
  readonly #socket: Socket;
  #arrived: Deliver[] = [];
  #answers: string[] = [];
  #changed = () => {};

  private constructor(origin: string, token: string, online: () => void) {
    let ended: (close: SocketClose) => void = () => {};
    this.closed = new Promise((resolve) => {
      ended = resolve;
    });
    this.#socket = connectSocket(`${origin.replace(/^http/, 'ws')}/relay`, SUBPROTOCOL, {
      opened: () =>
        this.#socket.send(encodeClientFrame({ kind: 'hello', token, lane: 'both', client: 'bridge of the tests' })),
      received: (bytes) => {
        const frame = decodeServerFrame(bytes);
        if (frame.kind === 'welcome') online();
        if (frame.kind === 'deliver') this.#arrived.push(frame);
        if (frame.kind === 'accepted') this.#answers.push(frame.kind);
        if (frame.kind === 'rejected') this.#answers.push(frame.code);
        this.#changed();
      },
      closed: ended,
    });
  }

  static async connect(login: BridgeLogin): Promise<Bridge> {
    const token = await loginByAppPassword(login);
    let online = () => {};
    const welcome = new Promise<void>((resolve) => {
      online = resolve;
    });
    const bridge = new Bridge(login.origin, token, online);
    const refused = bridge.closed.then(({ code, reason }) => Promise.reject(new Error(`${code} ${reason}`)));
    await Promise.race([welcome, refused]);
    return bridge;
  }

  /** The next message for the device, acknowledged. */
  async next(): Promise<{ readonly from: DeviceId; readonly letter: LimeLetter }> {
    const { seq, sender, content, body } = await this.#first(() => this.#arrived);
    this.#socket.send(encodeClientFrame({ kind: 'ack', upTo: seq }));
    const { engine, recipientUser, cipherMessage } = decodeEnvelope(body.slice());
    if (engine !== 'lime') throw new Error(`made by ${engine}`);
    return { from: sender, letter: { user: recipientUser, message: content.slice(), cipherMessage } };
  }

  /** `accepted`, or the code with which the relay refuses it. */
  async send(to: AccountAddress, parts: readonly Part[], cipherMessage: Uint8Array): Promise<string> {
    const id = parseMessageId(systemRandom(MESSAGE_ID_BYTES));
    const body = encodeEnvelope({ engine: 'lime', recipientUser: to, cipherMessage });
    this.#socket.send(encodeClientFrame({ kind: 'send', id, body, parts, allDevices: true, ownElsewhere: false }));
    return this.#first(() => this.#answers);
  }

  end(): void {
    this.#socket.drop();
  }

  async #first<T>(queue: () => T[]): Promise<T> {
    while (queue().length === 0)
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    return queue().shift()!;
  }
}
