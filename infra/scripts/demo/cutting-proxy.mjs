// A TCP proxy between the clients and the server that can lose an answer: it passes a Send frame on, waits until the server has said
// Accepted, keeps that to itself, and cuts the connection. The sender cannot know whether its message arrived, and must send it again.
//
// It reads no more than it needs: WebSocket framing (RFC 6455 section 5.2) and the first byte of a frame, the protobuf tag of
// `packages/wire/proto/relay.proto` (field 2 of ClientFrame is Send, field 2 of ServerFrame is Accepted).
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const TAG_SEND = 0x12;
const TAG_ACCEPTED = 0x12;
const END_OF_HEAD = '\r\n\r\n';

/** Forwards to `targetPort` on this machine. `sends`: the digest of every Send frame that went by, in order. */
export async function startCuttingProxy(targetPort) {
  const sends = [];
  const open = new Set();
  let onCut;

  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    const pair = [client, upstream];
    const end = () => {
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) {
      open.add(socket);
      socket.on('error', end).on('close', () => {
        open.delete(socket);
        end();
      });
    }

    const fromClient = new WebSocketReader();
    const fromServer = new WebSocketReader();
    let holding = false;

    client.on('data', (chunk) => {
      for (const payload of fromClient.push(chunk)) {
        if (payload[0] !== TAG_SEND) continue;
        sends.push(createHash('sha256').update(payload).digest('hex'));
        if (onCut) holding = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      const accepted = fromServer.push(chunk).some((payload) => payload[0] === TAG_ACCEPTED);
      if (!holding) return void client.write(chunk);
      if (!accepted) return;
      end();
      onCut?.();
      onCut = undefined;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: server.address().port,
    sends,
    /** The answer to the next Send is lost; resolves when that has happened. */
    loseNextAnswer: () => new Promise((resolve) => (onCut = resolve)),
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Takes one direction of a connection and yields the payloads of its WebSocket frames; plain HTTP yields none. */
class WebSocketReader {
  #bytes = Buffer.alloc(0);
  #mode = 'head';

  push(chunk) {
    if (this.#mode === 'plain') return [];
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#mode === 'head') this.#readHead();
    return this.#mode === 'frames' ? this.#readFrames() : [];
  }

  #readHead() {
    const end = this.#bytes.indexOf(END_OF_HEAD);
    if (end < 0) return;
    const head = this.#bytes.toString('latin1', 0, end);
    this.#mode = /^upgrade: *websocket/im.test(head) ? 'frames' : 'plain';
    this.#bytes = this.#bytes.subarray(end + END_OF_HEAD.length);
  }

  #readFrames() {
    const payloads = [];
    for (let frame = readFrame(this.#bytes); frame; frame = readFrame(this.#bytes)) {
      payloads.push(frame.payload);
      this.#bytes = this.#bytes.subarray(frame.length);
    }
    return payloads;
  }
}

/** The first whole frame of `bytes`, unmasked; undefined while it is not complete. */
function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const masked = (bytes[1] & 0x80) !== 0;
  const short = bytes[1] & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + lengthBytes + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const size = lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + size) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + size));
  if (masked) for (let i = 0; i < size; i++) payload[i] ^= bytes[start - 4 + (i % 4)];
  return { payload, length: start + size };
}
