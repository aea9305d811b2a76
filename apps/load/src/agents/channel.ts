/**
 * Sealed messages between a controller and an agent: JSON under AES-256-GCM, in frames of bounded size, each with the next number of its
 * side. Keys of test accounts go over it. A peer that is silent for too long is given up.
 */
import { nodeCrypto } from '@sealwire/crypto/node';
import type { RawData, WebSocket } from 'ws';

/** Of a frame: what a stranger may make this process hold. */
export const MOST_FRAME_BYTES = 256 * 1_024 + 64;
const PIECE_BYTES = 256 * 1_024;
/** Of a message: the identities of some 200,000 devices. */
const MOST_MESSAGE_BYTES = 64 * 1_024 * 1_024;
const PING_EVERY_MS = 2_000;
const SILENT_MS = 15_000;
const NONCE_BYTES = 12;
const MORE = 0;
const LAST = 1;

const { aes256gcm } = nodeCrypto();

export interface ChannelTerms {
  /** 32 bytes each. */
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  /** ms, never backwards. */
  readonly now: () => number;
  readonly received: (message: unknown) => void;
  /** Once; `why` is for people. */
  readonly closed: (why: string) => void;
}

export class Channel {
  readonly #socket: WebSocket;
  readonly #terms: ChannelTerms;
  readonly #pinging: NodeJS.Timeout;
  #sent = 0;
  #received = 0;
  #pieces: Uint8Array[] = [];
  #waiting = 0;
  #heard: number;
  #why = 'the connection was closed';

  constructor(socket: WebSocket, terms: ChannelTerms) {
    this.#socket = socket;
    this.#terms = terms;
    this.#heard = terms.now();
    this.#pinging = setInterval(() => this.#ping(), PING_EVERY_MS);
    socket.on('message', (data, isBinary) => this.#frame(data, isBinary));
    for (const sign of ['ping', 'pong'] as const) socket.on(sign, () => this.#hear());
    socket.on('error', (error) => {
      this.#why = error.message;
    });
    socket.once('close', () => {
      clearInterval(this.#pinging);
      terms.closed(this.#why);
    });
  }

  send(message: unknown): void {
    const bytes = Buffer.from(JSON.stringify(message));
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const flag = Uint8Array.of(at + PIECE_BYTES >= bytes.length ? LAST : MORE);
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      const sealed = aes256gcm.seal(this.#terms.sendKey, nonceOf(this.#sent++), piece, flag);
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(Buffer.concat([flag, sealed]));
    }
  }

  /** What was sent before still goes out. */
  close(): void {
    this.#socket.close();
  }

  #frame(data: RawData, isBinary: boolean): void {
    this.#hear();
    const frame = data as Buffer;
    const flag = frame.subarray(0, 1);
    try {
      if (!isBinary || frame.length <= 1) throw new Error('not a sealed frame');
      const piece = aes256gcm.open(this.#terms.receiveKey, nonceOf(this.#received++), frame.subarray(1), flag);
      this.#pieces.push(piece);
      this.#waiting += piece.length;
      if (this.#waiting > MOST_MESSAGE_BYTES) throw new Error('a message without end');
      if (flag[0] !== LAST) return;
      const message = Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#waiting = 0;
      this.#terms.received(JSON.parse(message.toString()));
    } catch (error) {
      this.#giveUp((error as Error).message);
    }
  }

  #hear(): void {
    this.#heard = this.#terms.now();
  }

  #ping(): void {
    if (this.#terms.now() - this.#heard > SILENT_MS) this.#giveUp(`silent for ${SILENT_MS / 1_000} s`);
    else this.#socket.ping();
  }

  #giveUp(why: string): void {
    this.#why = why;
    this.#socket.terminate();
  }
}

/** Each key seals in one direction of one connection: a count is never used twice. */
function nonceOf(count: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setBigUint64(NONCE_BYTES - 8, BigInt(count));
  return nonce;
}
