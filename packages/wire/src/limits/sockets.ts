/** What a socket of the relay may send, hold and cost: rows of `LIMITS`. */
import { KiB, type Limit, MiB, SECOND } from './limit.ts';

export const SOCKETS = {
  payloadBytes: {
    value: 96 * KiB,
    unit: 'bytes',
    why: 'shared body and one device’s part of a message; larger things are attachments',
  },
  frameBytes: {
    value: 128 * KiB,
    unit: 'bytes',
    why: 'what one frame may make a server hold before it is authenticated and decoded',
  },
  partsPerFrame: { value: 1_000, unit: 'devices', why: 'fan-out of one frame; a larger group is sent in several' },
  deviceIdBytes: { value: 255, unit: 'bytes', why: 'fits every key of every store' },
  messageIdBytes: { value: 16, unit: 'bytes', why: 'a UUID' },
  tokenBytes: { value: 2 * KiB, unit: 'bytes', why: 'an access token with room to grow' },
  acksPerFrame: {
    value: 1_000,
    unit: 'messages',
    why: 'messages that one frame acknowledges to their sender: ten full windows',
  },
  errorTextBytes: { value: 512, unit: 'bytes', why: 'a sentence' },
  errorCodeBytes: { value: 64, unit: 'bytes', why: 'a word or two' },
  clientNameBytes: { value: 128, unit: 'bytes', why: 'name and version of a client, for the operator’s eyes' },
  mismatchDevices: {
    value: 200,
    unit: 'devices',
    why: 'that one list of a refusal names: it fits a frame, and a client that mends these is told of the next',
  },
  helloMs: { value: 5 * SECOND, unit: 'ms', why: 'a socket that does not introduce itself costs memory' },
  pingEveryMs: {
    value: 25 * SECOND,
    unit: 'ms',
    why: 'below the idle time-outs of common load balancers (60 s) and NATs',
  },
  pongWithinMs: { value: 8 * SECOND, unit: 'ms', why: 'a half-open link is found within ping + pong' },
  windowMessages: { value: 100, unit: 'messages', why: 'delivered and not yet acknowledged, per socket' },
  windowBytes: { value: 1 * MiB, unit: 'bytes', why: 'the same window in bytes' },
  socketQueueBytes: {
    value: 1 * MiB,
    unit: 'bytes',
    why: 'beyond it the consumer is slow: closed, and the mailbox keeps the rest',
  },
  framesPerTurn: {
    value: 32,
    unit: 'frames',
    why: 'that one socket is served before the others have their turn, control frames too, each further recipient as one more: some 200 µs',
  },
  bytesPerTurn: { value: 64 * KiB, unit: 'bytes', why: 'the same in bytes: what one read of a socket brings' },
  spareFramesBurst: {
    value: 500,
    unit: 'frames',
    why: 'of a socket at once that bring no message: unknown ones, `Ping`, `Renew`, `Ephemeral`, `Show`, `Appear`, `Ack` of nothing new, pings and pongs of the WebSocket',
  },
  spareFramesPerSecond: {
    value: 50,
    unit: 'frames/s',
    why: 'of these from then on: a client sends one or two, and 200 sockets at this rate cost a tenth of a core',
  },
  unwrittenBytes: {
    value: 128 * KiB,
    unit: 'bytes',
    why: 'of messages from one socket that wait for their durable write, 256 more for each recipient; beyond it no more are read: an eighth of a batch',
  },
  loginsPerAddress: {
    value: 8,
    unit: 'logins',
    why: 'of sockets from one address that are verified at once, the others wait: twice the threads that verify',
  },
} as const satisfies Record<string, Limit>;
