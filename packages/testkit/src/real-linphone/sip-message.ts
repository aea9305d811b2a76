/** Messages of SIP over a stream (RFC 3261 sections 7 and 18.3), as far as a user agent of the tests needs them. */

export interface SipMessage {
  /** The request or status line. */
  readonly start: string;
  readonly headers: readonly SipHeader[];
  readonly body: Uint8Array;
}

export type SipHeader = readonly [name: string, value: string];

const HEAD_END = '\r\n\r\n';

/** The first header of that name, in whatever case. */
export function headerOf(message: SipMessage, name: string): string | undefined {
  return headersOf(message, name)[0]?.[1];
}

export function headersOf({ headers }: SipMessage, name: string): readonly SipHeader[] {
  return headers.filter(([each]) => each.toLowerCase() === name.toLowerCase());
}

/** `Content-Length` is added. */
export function encodeSip({ start, headers, body }: SipMessage): Uint8Array {
  const lines = [...headers, ['Content-Length', String(body.length)]].map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${start}\r\n${lines.join('')}\r\n`), body]);
}

/** Cuts a stream into messages. */
export class SipReader {
  #pending = Buffer.alloc(0);

  /** Those that are whole now. */
  push(bytes: Uint8Array): SipMessage[] {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    const messages: SipMessage[] = [];
    for (let message = this.#next(); message; message = this.#next()) messages.push(message);
    return messages;
  }

  #next(): SipMessage | undefined {
    // Empty lines between messages keep a connection open.
    while (this.#pending.subarray(0, 2).toString() === '\r\n') this.#pending = this.#pending.subarray(2);
    const headLength = this.#pending.indexOf(HEAD_END);
    if (headLength < 0) return undefined;
    const [start, ...lines] = this.#pending.subarray(0, headLength).toString().split('\r\n');
    const headers = lines.map((line): SipHeader => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
    const head = { start: start!, headers, body: new Uint8Array(0) };
    const bodyStart = headLength + HEAD_END.length;
    const end = bodyStart + Number(headerOf(head, 'Content-Length') ?? 0);
    if (this.#pending.length < end) return undefined;
    const body = new Uint8Array(this.#pending.subarray(bodyStart, end));
    this.#pending = this.#pending.subarray(end);
    return { ...head, body };
  }
}
