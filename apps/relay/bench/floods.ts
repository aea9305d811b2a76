/** What ten sockets flood a server with: bytes that are written over and over, on sockets that are opened anew when they are closed. */
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import type { ClientFrame } from '@sealwire/wire/frames';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';

export interface Flood {
  readonly name: string;
  /** `hello`: after a login. `upgrade`: on a WebSocket before it. `http`: on a plain connection. */
  readonly on: 'hello' | 'upgrade' | 'http';
  /** Written first. */
  readonly begin?: string;
  /** Written over and over; empty: nothing. */
  readonly bytes: Uint8Array;
  /** Of the hello instead of a good one. */
  readonly token?: string;
  /** The connection is for one round of `bytes`; then there is a new one. */
  readonly anew?: boolean;
}

const CHUNK_BYTES = 64 * 1_024;
const BINARY = 0x82;

const none = new Uint8Array(0);

function repeated(frame: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: Math.max(1, Math.floor(CHUNK_BYTES / frame.length)) }, () => frame));
}

/** A client's WebSocket frame whose mask is zero (RFC 6455 section 5.2). */
export function webSocketFrame(first: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? [0x80 | length]
      : length < 65_536
        ? [0xfe, length >>> 8, length & 0xff]
        : [0xff, 0, 0, 0, 0, 0, length >>> 16, (length >>> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([first, ...head, 0, 0, 0, 0]), payload]);
}

export const frameOf = (frame: ClientFrame): Buffer => webSocketFrame(BINARY, encodeClientFrame(frame));

function requestOf(line: string, headers: readonly string[] = [], body = ''): Buffer {
  const length = body === '' ? [] : [`content-length: ${body.length}`, 'content-type: application/json'];
  return Buffer.from([`${line} HTTP/1.1`, 'host: localhost', ...headers, ...length, '', body].join('\r\n'));
}

/** `victim`: to whom frames are sent. `token`: a good one; bad ones are made of it. */
export function floodsOf(victim: DeviceId, token: string): readonly Flood[] {
  const unknown = webSocketFrame(BINARY, new Uint8Array([0xfa, 0x01, 0x00]));
  const parts = [{ device: victim, content: none }];
  const send = (bytes: number, count = 1) =>
    frameOf({
      kind: 'send',
      id: new Uint8Array(16).fill(7) as MessageId,
      body: new Uint8Array(bytes),
      parts: Array.from({ length: count }, (_, i) => ({
        device: (i === 0 ? victim : victim.replace('0000-4000', `${String(i).padStart(4, '0')}-4000`)) as DeviceId,
        content: none,
      })),
      allDevices: false,
      ownElsewhere: false,
    });
  const strangers = frameOf({
    kind: 'send',
    id: new Uint8Array(16).fill(7) as MessageId,
    body: none,
    parts: Array.from({ length: 1_000 }, (_, i) => ({
      device: victim.replace('sip:', `sip:${i}-`) as DeviceId,
      content: none,
    })),
    allDevices: false,
    ownElsewhere: false,
  });
  const fragment = (first: number) => webSocketFrame(first, none);
  const fragments = Buffer.concat([
    webSocketFrame(0x02, new Uint8Array([0xfa])),
    ...Array.from({ length: 60 }, () => fragment(0)),
    webSocketFrame(0x80, new Uint8Array([0x01, 0x00])),
  ]);
  const badToken = `${token.slice(0, -8)}AAAAAAAA`;
  const hello = (name: string, frame: Buffer): Flood => ({ name, on: 'hello', bytes: repeated(frame) });
  const http = (name: string, request: Buffer): Flood => ({ name, on: 'http', bytes: repeated(request) });
  return [
    { name: 'none', on: 'http', bytes: none },
    { name: 'unknown frames before login', on: 'upgrade', bytes: repeated(unknown) },
    { name: 'hellos with bad tokens', on: 'hello', bytes: none, token: badToken, anew: true },
    hello('unknown frames', unknown),
    hello('Ping', frameOf({ kind: 'ping', nonce: 1 })),
    hello('Ack(0)', frameOf({ kind: 'ack', upTo: 0 })),
    hello('ephemeral', frameOf({ kind: 'ephemeral', body: none, parts })),
    hello('Renew, bad tokens', frameOf({ kind: 'renew', token: badToken })),
    hello('pings of the WebSocket', webSocketFrame(0x89, none)),
    hello('pongs of the WebSocket', webSocketFrame(0x8a, none)),
    hello('empty messages', webSocketFrame(BINARY, none)),
    hello('messages in 62 fragments', fragments),
    hello('Send beyond its limits', send(0)),
    hello('Send to 600 devices that are none', send(0, 600)),
    hello('Send to 1,000 accounts that are none', strangers),
    hello('Send of 90 KB', send(90_000)),
    http('GET /v1/nothing, pipelined', requestOf('GET /v1/nothing')),
    http('GET /v1/devices, pipelined', requestOf('GET /v1/devices')),
    http('POST /v1/accounts {}, pipelined', requestOf('POST /v1/accounts', [], '{}')),
    http('GET /directory/manifests, pipelined', requestOf('GET /directory/manifests/nobody')),
    http('POST /lime, pipelined', requestOf('POST /lime', ['x-lime-user-identity: sip:nobody@localhost'], '{}')),
    http('GET /.well-known, pipelined', requestOf('GET /.well-known/sealwire')),
    http('GET /livez, pipelined', requestOf('GET /livez')),
    http('GET /, pipelined, shortest', Buffer.from('GET / HTTP/1.1\r\nhost:a\r\n\r\n')),
    {
      name: 'GET /livez on new connections',
      on: 'http',
      bytes: requestOf('GET /livez', ['connection: close']),
      anew: true,
    },
    {
      name: 'a body in chunks of a byte',
      on: 'http',
      begin:
        'POST /v1/accounts HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      bytes: repeated(Buffer.from('1\r\n \r\n')),
    },
    { name: 'headers without end', on: 'http', begin: 'GET / HTTP/1.1\r\n', bytes: repeated(Buffer.from('a:b\r\n')) },
  ];
}
