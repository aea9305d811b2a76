/**
 * A device that speaks the relay protocol and nothing above it: light enough for a thousand of them in one process. It keeps the
 * rules of a good client: repeats what was not accepted, in order and byte for byte; acknowledges what it has got; comes back with
 * full jitter. Everything it was told and everything it got is kept, for the oracle.
 */
import { connectSocket } from '@sealwire/client/node/transport';
import type { Socket, SocketClose } from '@sealwire/client/runtime';
import { closeAction } from '@sealwire/wire/errors';
import { decodeServerFrame, encodeClientFrame } from '@sealwire/wire/frame-codec';
import { type ServerFrame, SUBPROTOCOL } from '@sealwire/wire/frames';
import { type DeviceId, type MessageId, parseMessageId } from '@sealwire/wire/ids';
import type { Delivery, SentMessage } from './history.ts';
import type { Inhabitant } from './population.ts';

const RECONNECT_FIRST_MS = 250;
const RECONNECT_CAP_MS = 2_000;
/** Acknowledges every so many deliveries, and whatever is left after `ACKNOWLEDGE_WITHIN_MS`: a crash finds some unacknowledged. */
const ACKNOWLEDGE_EVERY = 5;
const ACKNOWLEDGE_WITHIN_MS = 200;
const CONTENT = new Uint8Array([1]);
const BODY_BYTES = 200;

export interface LightDeviceOptions {
  /** Of the relay. */
  readonly url: string;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Something was accepted, delivered, or a connection was opened or closed. */
  readonly changed: () => void;
}

export class LightDevice {
  readonly device: DeviceId;
  readonly sent: SentMessage[] = [];
  readonly deliveries: Delivery[] = [];
  /** Codes of messages that the relay refused. */
  readonly refusals: string[] = [];
  readonly closes: SocketClose[] = [];
  online = false;
  /** Acknowledges nothing. */
  keepsQuiet = false;
  acceptedCount = 0;
  readonly #inhabitant: Inhabitant;
  readonly #options: LightDeviceOptions;
  /** Number of a message → its frame, until it is accepted; in the order in which they were sent. */
  readonly #waiting = new Map<number, Uint8Array>();
  readonly #rejected = new Set<number>();
  readonly #seen = new Set<string>();
  #socket: Socket | undefined;
  #connection = 0;
  #opened = 0;
  #failures = 0;
  #ended = false;
  #ponged = () => {};
  #newest = 0;
  #acknowledged = 0;
  #timer: NodeJS.Timeout | undefined;
  #acknowledgeTimer: NodeJS.Timeout | undefined;

  constructor(inhabitant: Inhabitant, options: LightDeviceOptions) {
    this.device = inhabitant.device;
    this.#inhabitant = inhabitant;
    this.#options = options;
    this.#connect();
  }

  /** Sent, and the sender does not know what became of it. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** For a person who asks why it is not online. */
  get story(): string {
    const closes = this.closes.map(({ code, reason }) => `${code} ${reason}`);
    return `${this.device}: ${this.#connection} connections, ${this.#opened} opened; ${closes.slice(-3).join(', ')}`;
  }

  /** How many different messages have arrived. */
  get distinct(): number {
    return this.#seen.size;
  }

  /** Everything that came has been acknowledged, and the relay has answered since. */
  async settled(): Promise<void> {
    if (this.#acknowledgeTimer) this.#acknowledge();
    await new Promise<void>((resolve) => {
      this.#ponged = resolve;
      this.#socket?.send(encodeClientFrame({ kind: 'ping', nonce: 1 }));
    });
  }

  isAccepted(number: number): boolean {
    return number < this.sent.length && !this.#waiting.has(number) && !this.#rejected.has(number);
  }

  send(recipients: readonly DeviceId[], allDevices = false): void {
    const number = this.sent.length;
    this.sent.push({ sender: this.device, number, recipients });
    const parts = recipients.map((device) => ({ device, content: CONTENT }));
    const body = bodyOf(this.device, number);
    const frame = encodeClientFrame({
      kind: 'send',
      id: messageId(number),
      body,
      parts,
      allDevices,
      ownElsewhere: false,
    });
    this.#waiting.set(number, frame);
    if (this.online) this.#socket?.send(frame);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#acknowledgeTimer);
    this.#socket?.drop();
  }

  #connect(): void {
    this.#connection += 1;
    // Only what came on this connection may be acknowledged on it.
    this.#newest = 0;
    this.#acknowledged = 0;
    const socket = connectSocket(this.#options.url, SUBPROTOCOL, {
      opened: () => {
        this.#opened += 1;
        const { token } = this.#inhabitant;
        socket.send(encodeClientFrame({ kind: 'hello', token, lane: 'both', client: 'light device' }));
      },
      received: (bytes) => this.#received(decodeServerFrame(bytes)),
      closed: (close) => this.#closed(close),
    });
    this.#socket = socket;
  }

  #closed(close: SocketClose): void {
    this.online = false;
    this.closes.push(close);
    clearTimeout(this.#acknowledgeTimer);
    this.#acknowledgeTimer = undefined;
    this.#options.changed();
    if (this.#ended || closeAction(close.code) === 'stop') return;
    const ceiling = Math.min(RECONNECT_CAP_MS, RECONNECT_FIRST_MS * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.#connect(), ceiling * this.#options.random());
  }

  #received(frame: ServerFrame): void {
    switch (frame.kind) {
      case 'welcome':
        this.online = true;
        this.#failures = 0;
        for (const waiting of this.#waiting.values()) this.#socket?.send(waiting);
        break;
      case 'accepted':
        for (const id of frame.ids) if (this.#waiting.delete(numberOf(id))) this.acceptedCount += 1;
        break;
      case 'rejected':
        this.refusals.push(frame.code);
        this.#waiting.delete(numberOf(frame.id));
        this.#rejected.add(numberOf(frame.id));
        break;
      case 'deliver':
        this.#delivered(frame);
        break;
      case 'gap':
      case 'error':
        this.refusals.push(frame.kind);
        break;
      case 'pong':
        this.#ponged();
        return;
      default:
        return;
    }
    this.#options.changed();
  }

  #delivered({ seq, sender, id, body }: Extract<ServerFrame, { kind: 'deliver' }>): void {
    const number = numberOf(id);
    if (Buffer.compare(body, bodyOf(sender, number)) !== 0) this.refusals.push(`damaged: ${sender} #${number}`);
    this.#seen.add(`${sender} #${number}`);
    this.deliveries.push({ seq, sender, number, connection: this.#connection });
    this.#newest = seq;
    if (this.keepsQuiet) return;
    if (seq - this.#acknowledged >= ACKNOWLEDGE_EVERY) this.#acknowledge();
    else this.#acknowledgeTimer ??= setTimeout(() => this.#acknowledge(), ACKNOWLEDGE_WITHIN_MS);
  }

  #acknowledge(): void {
    clearTimeout(this.#acknowledgeTimer);
    this.#acknowledgeTimer = undefined;
    this.#acknowledged = this.#newest;
    this.#socket?.send(encodeClientFrame({ kind: 'ack', upTo: this.#newest }));
  }
}

function messageId(number: number): MessageId {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, number);
  return parseMessageId(bytes);
}

function numberOf(id: MessageId): number {
  return new DataView(id.buffer, id.byteOffset).getUint32(12);
}

/** As large as a short encrypted text; the recipient knows what it must be. */
function bodyOf(sender: DeviceId, number: number): Uint8Array {
  return Buffer.from(`${sender} #${number} `.padEnd(BODY_BYTES, '.'));
}
