/**
 * The SIP side of a device that is no Linphone: it registers, accepts the rooms that it is invited to, and sends and receives MESSAGE
 * (RFC 3261, RFC 3428, RFC 5627). One TCP connection to the registrar carries all of it, in both directions.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { systemRandom } from '@sealwire/crypto/random';
import { accountOf, type DeviceId, nameOf } from '@sealwire/wire/ids';
import { encodeSip, headerOf, headersOf, type SipHeader, type SipMessage, SipReader } from './sip-message.ts';

/** RFC 3261 section 8.1.1.7: what every branch begins with. */
const BRANCH = 'z9hG4bK';
const NO_BYTES = new Uint8Array(0);

export interface SipBody {
  readonly contentType: string;
  readonly body: Uint8Array;
}

export class SipUserAgent {
  readonly #socket: Socket;
  readonly #device: DeviceId;
  /** Of this end of the connection. */
  readonly #address: string;
  readonly #answers = new Map<string, (status: string) => void>();
  #arrived: SipMessage[] = [];
  #changed = () => {};
  #requests = 0;

  private constructor(socket: Socket, device: DeviceId) {
    this.#socket = socket;
    this.#device = device;
    this.#address = `127.0.0.1:${socket.localPort}`;
    const reader = new SipReader();
    socket.on('data', (bytes) => {
      for (const message of reader.push(bytes)) this.#take(message);
    });
  }

  static async register(port: number, device: DeviceId): Promise<SipUserAgent> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const agent = new SipUserAgent(socket, device);
    const account = accountOf(device);
    const instance = device.slice(`${account};gr=`.length);
    const contact = `<sip:${nameOf(account)}@${agent.#address};transport=tcp>;+sip.instance="<${instance}>"`;
    const headers: SipHeader[] = [
      ['Contact', contact],
      ['Expires', '3600'],
      ['Supported', 'gruu'],
    ];
    await agent.#request('REGISTER', 'sip:example.org', account, headers, NO_BYTES);
    return agent;
  }

  /** Rejects when it is refused on the way. That it was taken does not say that it can be read. */
  send(to: string, { contentType, body }: SipBody): Promise<void> {
    const headers: SipHeader[] = [
      ['Content-Encoding', 'deflate'],
      ['Content-Type', contentType],
    ];
    return this.#request('MESSAGE', to, to, headers, body);
  }

  /** The next MESSAGE that was sent to this device. */
  async next(): Promise<SipMessage> {
    while (this.#arrived.length === 0)
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    return this.#arrived.shift()!;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #request(
    method: string,
    uri: string,
    to: string,
    headers: readonly SipHeader[],
    body: Uint8Array,
  ): Promise<void> {
    const [branch, callId] = [`${BRANCH}${token()}`, token()];
    const answered = new Promise<string>((resolve) => this.#answers.set(callId, resolve));
    this.#requests += 1;
    const own: SipHeader[] = [
      ['Via', `SIP/2.0/TCP ${this.#address};branch=${branch};rport`],
      ['From', `<${method === 'REGISTER' ? accountOf(this.#device) : this.#device}>;tag=${token()}`],
      ['To', `<${to}>`],
      ['CSeq', `${this.#requests} ${method}`],
      ['Call-ID', callId],
      ['Max-Forwards', '70'],
    ];
    this.#write({ start: `${method} ${uri} SIP/2.0`, headers: [...own, ...headers], body });
    const status = await answered;
    if (!/^SIP\/2\.0 2/.test(status)) throw new Error(`${method} ${uri}: ${status}`);
  }

  #take(message: SipMessage): void {
    if (message.start.startsWith('SIP/2.0 ')) {
      // A final answer; what comes before it says only that one will come.
      if (!message.start.startsWith('SIP/2.0 1')) this.#answers.get(headerOf(message, 'Call-ID')!)?.(message.start);
      return;
    }
    const [method] = message.start.split(' ');
    if (method === 'ACK') return;
    this.#accept(message);
    if (method !== 'MESSAGE') return;
    this.#arrived.push(message);
    this.#changed();
  }

  #accept(request: SipMessage): void {
    const to = headerOf(request, 'To')!;
    const copied = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) => headersOf(request, name));
    const headers: SipHeader[] = [
      ...copied,
      ['To', to.includes(';tag=') ? to : `${to};tag=${token()}`],
      ['Contact', `<${this.#device}>;text`],
    ];
    this.#write({ start: 'SIP/2.0 200 OK', headers, body: NO_BYTES });
  }

  #write(message: SipMessage): void {
    this.#socket.write(encodeSip(message));
  }
}

function token(): string {
  return Buffer.from(systemRandom(8)).toString('hex');
}
