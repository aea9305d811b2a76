import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { LIMITS } from '@sealwire/wire/limits';
import { type WebSocket, WebSocketServer } from 'ws';
import { turns } from '../testing/test-relay.ts';
import { FrameFlow } from './frame-flow.ts';

const PER_TURN = LIMITS.framesPerTurn.value;
const [BINARY, FRAGMENT, PING, PONG, CLOSE] = [0x82, 0x02, 0x89, 0x8a, 0x88];

class Peer extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

function frame(first: number, payloadBytes: number): Buffer {
  const length = payloadBytes < 126 ? [0x80 | payloadBytes] : [0x80 | 126, payloadBytes >>> 8, payloadBytes & 0xff];
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), Buffer.alloc(payloadBytes)]);
}

function times(count: number, bytes: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

const peers: Peer[] = [];
// `ws` would wait for the peer of a socket that it closed.
afterEach(() => {
  for (const peer of peers.splice(0)) peer.destroy();
});

interface Open {
  readonly turn: { ended: number };
  readonly peer: Peer;
  readonly flow: FrameFlow;
  readonly ws: WebSocket;
  /** Frames that came out so far. */
  readonly count: () => number;
}

/** A server's WebSocket over a stream in memory, whose frames are counted and pass a flow. */
function open(onFrame: (flow: FrameFlow, count: number) => void = () => {}): Open {
  const peer = new Peer();
  peers.push(peer);
  const request = {
    method: 'GET',
    headers: { upgrade: 'websocket', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version': '13' },
  } as unknown as IncomingMessage;
  let opened: Open | undefined;
  new WebSocketServer({ noServer: true, autoPong: false }).handleUpgrade(request, peer, Buffer.alloc(0), (ws) => {
    const turn = { ended: 0 };
    const flow = new FrameFlow(ws, turn);
    let count = 0;
    const took = (data: Buffer) => {
      flow.took(data.length);
      onFrame(flow, ++count);
    };
    ws.on('message', took).on('ping', took).on('pong', took);
    opened = { turn, peer, flow, ws, count: () => count };
  });
  return opened!;
}

/** How many frames came out in each turn until none comes any more. */
async function countsPerTurn({ peer, count }: Open, bytes: Buffer): Promise<number[]> {
  const counts: number[] = [];
  let before = count();
  peer.push(bytes);
  for (let quiet = 0; quiet < 3; ) {
    await turns(1);
    const now = count();
    if (now > before) counts.push(now - before);
    quiet = now > before ? 0 : quiet + 1;
    before = now;
  }
  return counts;
}

describe('FrameFlow', () => {
  it.each([
    ['messages', BINARY],
    ['pings', PING],
    ['pongs', PONG],
  ])('lets so many %s out a turn, and all of them in the end', async (_, first) => {
    const socket = open();
    const counts = await countsPerTurn(socket, times(5 * PER_TURN + 3, frame(first, 1)));
    expect(Math.max(...counts)).toBe(PER_TURN);
    expect(socket.count()).toBe(5 * PER_TURN + 3);
    expect(socket.ws.isPaused).toBe(false);
  });

  it('counts bytes, too: of large frames fewer', async () => {
    const counts = await countsPerTurn(open(), times(20, frame(BINARY, 30_000)));
    expect(Math.max(...counts)).toBe(Math.ceil(LIMITS.bytesPerTurn.value / 30_000));
  });

  it('a message in many fragments costs as many frames', async () => {
    const message = Buffer.concat([frame(FRAGMENT, 1), times(PER_TURN - 2, frame(0x00, 0)), frame(0x80, 1)]);
    const socket = open();
    const counts = await countsPerTurn(socket, times(20, message));
    // Of the first of a read it is not known.
    expect(counts.slice(1).every((count) => count === 1)).toBe(true);
    expect(socket.count()).toBe(20);
    const large = await countsPerTurn(open(), times(20, Buffer.concat([frame(FRAGMENT, 100), frame(0x80, 100)])));
    expect(Math.max(...large)).toBeGreaterThanOrEqual(PER_TURN / 2);
  });

  it('a frame that costs more than a turn is paid for in later turns', async () => {
    const socket = open((flow) => flow.costs(10 * PER_TURN));
    socket.peer.push(times(3, frame(BINARY, 1)));
    const counts: number[] = [];
    while (counts.length < 24) {
      await turns(1);
      counts.push(socket.count());
    }
    const turnOf = (count: number) => counts.indexOf(count);
    expect([turnOf(2) - turnOf(1), turnOf(3) - turnOf(2)]).toEqual([10, 10]);
  });

  it('a socket that says as much in each turn never waits while turns end', async () => {
    const socket = open();
    for (let i = 1; i <= 5; i++) {
      socket.peer.push(times(PER_TURN - 1, frame(BINARY, 1)));
      await turns(1);
      expect([socket.count(), socket.ws.isPaused]).toEqual([i * (PER_TURN - 1), false]);
      socket.turn.ended++;
    }
  });

  it('what is held keeps all behind it in the socket, and comes out when released', async () => {
    const socket = open((flow, count) => {
      if (count === 1) flow.hold();
    });
    expect(await countsPerTurn(socket, times(10, frame(BINARY, 1)))).toEqual([1]);
    // More than a stream takes in one go: nothing of it is read.
    expect(await countsPerTurn(socket, times(100_000, frame(BINARY, 1)))).toEqual([]);
    expect(socket.ws.isPaused).toBe(true);
    socket.flow.release();
    await countsPerTurn(socket, Buffer.from(frame(PING, 0)));
    expect(socket.count()).toBe(100_011);
  });

  it('a Close frame behind many frames is seen in its turn', async () => {
    const socket = open();
    let code: number | undefined;
    socket.ws.on('close', (closed) => {
      code = closed;
    });
    await countsPerTurn(socket, Buffer.concat([times(3 * PER_TURN, frame(BINARY, 1)), frame(CLOSE, 0)]));
    socket.peer.push(null);
    await turns(3);
    expect([socket.count(), code]).toEqual([3 * PER_TURN, 1005]);
  });

  it('a fault behind many frames is still one, and closes with its code', async () => {
    const socket = open();
    const errors: string[] = [];
    socket.ws.on('error', ({ message }) => errors.push(message));
    await countsPerTurn(socket, Buffer.concat([times(3 * PER_TURN, frame(BINARY, 1)), frame(0x83, 1)]));
    expect(socket.count()).toBe(3 * PER_TURN);
    expect(errors).toEqual([expect.stringContaining('invalid opcode')]);
    expect(socket.ws.readyState).toBe(2);
  });

  it('a socket that is gone meanwhile gives nothing out any more', async () => {
    const socket = open();
    socket.peer.push(times(3 * PER_TURN, frame(BINARY, 1)));
    socket.peer.destroy();
    await turns(5);
    expect(socket.count()).toBeLessThanOrEqual(PER_TURN);
  });
});
