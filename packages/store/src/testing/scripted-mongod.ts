/**
 * A server that says what it is told to say, in MongoDB's wire protocol (OP_MSG, and OP_QUERY for the first hello): answers of a real
 * mongod, as its documentation and its source have them, go through the real driver.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { mongo } from 'mongoose';

const { deserialize, serialize } = mongo.BSON;
type Document = Readonly<Record<string, unknown>>;
/** `cut`: the connection breaks in the place of an answer. */
export type Answer = Document | 'cut';

const HEADER_BYTES = 16;
const OP_REPLY = 1;
const OP_QUERY = 2_004;
const OP_MSG = 2_013;

/** The primary of a replica set of one. Without `topologyVersion`: nothing changes that a driver would wait to hear of. */
export const PRIMARY: Document = {
  isWritablePrimary: true,
  setName: 'rs0',
  setVersion: 1,
  me: 'localhost:27017',
  primary: 'localhost:27017',
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 25,
  readOnly: false,
  ok: 1,
};

export interface ScriptedMongod {
  /** Of a database, to be connected to directly. */
  readonly url: string;
  /** The answers to commands of that name, one after the other; then `{ ok: 1 }`, for ever. */
  answer(command: string, ...answers: readonly Answer[]): void;
  /** Names of the commands that came, but for hellos. */
  readonly commands: readonly string[];
  close(): Promise<void>;
}

/** Listens on loopback. */
export async function scriptedMongod(hello: Document = PRIMARY): Promise<ScriptedMongod> {
  const script = new Map<string, Answer[]>();
  const commands: string[] = [];
  const sockets = new Set<Socket>();

  function answerTo(name: string): Answer {
    if (['hello', 'ismaster', 'isMaster'].includes(name)) return { helloOk: true, ...hello };
    commands.push(name);
    return script.get(name)?.shift() ?? { n: 1, nModified: 1, ok: 1 };
  }

  const server = createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}));
    let bytes = Buffer.alloc(0);
    socket.on('data', (piece) => {
      bytes = Buffer.concat([bytes, piece]);
      while (bytes.length >= 4 && bytes.length >= bytes.readInt32LE()) {
        const message = bytes.subarray(0, bytes.readInt32LE());
        bytes = bytes.subarray(message.length);
        const { id, code, command } = readMessage(message);
        const answer = answerTo(Object.keys(command)[0]!);
        if (answer === 'cut') return void socket.destroy();
        socket.write(code === OP_QUERY ? replyOf(id, answer) : messageOf(id, answer));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/d?directConnection=true`,
    answer(command, ...answers) {
      script.set(command, [...answers]);
    },
    commands,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sections after the first hold the documents of a command, which no script looks at. */
function readMessage(message: Buffer): { id: number; code: number; command: Document } {
  const code = message.readInt32LE(12);
  const query = HEADER_BYTES + 4;
  const at = code === OP_MSG ? HEADER_BYTES + 5 : message.indexOf(0, query) + 1 + 8;
  const command = deserialize(message.subarray(at, at + message.readInt32LE(at)));
  return { id: message.readInt32LE(4), code, command };
}

function messageOf(to: number, answer: Document): Buffer {
  return framed(to, OP_MSG, Buffer.concat([Buffer.alloc(5), serialize(answer)]));
}

function replyOf(to: number, answer: Document): Buffer {
  const head = Buffer.alloc(20);
  head.writeInt32LE(1, 16);
  return framed(to, OP_REPLY, Buffer.concat([head, serialize(answer)]));
}

function framed(to: number, code: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(HEADER_BYTES + body.length);
  header.writeInt32LE(to, 8);
  header.writeInt32LE(code, 12);
  return Buffer.concat([header, body]);
}
