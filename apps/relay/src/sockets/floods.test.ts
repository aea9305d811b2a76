/** What one socket may not take from the others: its turn, its budget and its login are bounded (docs/threat-model.md T78). */
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import type { ClientFrame } from '@sealwire/wire/frames';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { messageId, TestClient } from '../testing/test-client.ts';
import { openWorld, type World } from '../testing/test-relay.ts';
import { TICK_MS } from '../time/timer-wheel.ts';

const BURST = LIMITS.spareFramesBurst.value;
const PER_SECOND = LIMITS.spareFramesPerSecond.value;
const [BINARY, PING, PONG] = [0x82, 0x89, 0x8a];
const UNKNOWN = new Uint8Array([0xfa, 0x01, 0x00]);

let world: World;
let alice: DeviceId;
let bob: DeviceId;

beforeEach(async () => {
  world = await openWorld();
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
});
afterEach(() => world.close());

/** A masked WebSocket frame (RFC 6455 section 5.2) of less than 126 bytes; the mask is zero. */
function webSocketFrame(first: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

function times(count: number, frame: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => frame));
}

/** Writes bytes of our own to the client's socket. */
function write(client: TestClient, bytes: Buffer): void {
  (client.ws as unknown as { _socket: Socket })._socket.write(bytes);
}

const binary = (frame: ClientFrame) => webSocketFrame(BINARY, encodeClientFrame(frame));
const ephemeral = (device: DeviceId) =>
  binary({ kind: 'ephemeral', body: new Uint8Array(0), parts: [{ device, content: new Uint8Array(0) }] });

describe('before a hello', () => {
  it.each([
    ['an unknown frame', webSocketFrame(BINARY, UNKNOWN)],
    ['a Ping', binary({ kind: 'ping', nonce: 1 })],
    ['a ping of the WebSocket', webSocketFrame(PING, new Uint8Array(0))],
    ['a pong of the WebSocket', webSocketFrame(PONG, new Uint8Array(0))],
  ])('%s closes the socket, whatever comes behind it', async (_, frame) => {
    const client = await TestClient.connect(world.node.url);
    let pongs = 0;
    client.ws.on('pong', () => pongs++);
    write(client, times(1_000, frame));
    expect((await client.closed).code).toBe(4400);
    expect(client.frames).toEqual([expect.objectContaining({ kind: 'error', code: 'bad-frame' })]);
    expect(pongs).toBe(0);
  });
});

describe('the budget of frames that carry no message', () => {
  it.each([
    ['unknown frames', () => webSocketFrame(BINARY, UNKNOWN)],
    ['Pings', () => binary({ kind: 'ping', nonce: 1 })],
    ['acknowledgements of nothing', () => binary({ kind: 'ack', upTo: 0 })],
    ['ephemeral frames', () => ephemeral(bob)],
    ['renewals', () => binary({ kind: 'renew', token: 'nonsense' })],
    ['pings of the WebSocket', () => webSocketFrame(PING, new Uint8Array(0))],
    ['pongs of the WebSocket', () => webSocketFrame(PONG, new Uint8Array(0))],
  ])('%s beyond it close the socket with a code of their own; within it none does', async (_, frame) => {
    const client = await world.client(alice);
    write(client, times(BURST - 1, frame()));
    await client.settled();
    write(client, times(10, frame()));
    expect(await client.closed).toEqual({ code: 4005, reason: 'too-many-frames' });
  });

  it('is refilled as time passes', async () => {
    const client = await world.client(alice);
    write(client, times(BURST - 1, webSocketFrame(PONG, new Uint8Array(0))));
    await client.settled();
    world.time.pass(1_000 + TICK_MS);
    write(client, times(PER_SECOND - 1, webSocketFrame(PONG, new Uint8Array(0))));
    await client.settled();
  });

  it('does not count messages, nor acknowledgements of messages', async () => {
    const count = 2 * BURST;
    const [client, recipient] = [await world.client(alice), await world.client(bob)];
    for (let i = 1; i <= count; i++) {
      client.message(messageId(i), [bob], 'x');
      await recipient.next('deliver');
      recipient.ack(i);
    }
    await Promise.all([client.settled(), recipient.settled()]);
  });
});

describe('messages that wait for their write', () => {
  it('of one socket are bounded, each recipient counted; the rest stays in the socket, and is served in order', async () => {
    const { mailboxes } = world.store;
    const append = mailboxes.append;
    const [written, ends]: [number[], (() => void)[]] = [[], []];
    Object.assign(mailboxes, {
      async append(...args: Parameters<typeof append>) {
        await new Promise<void>((resolve) => ends.push(resolve));
        written.push(args[0].length);
        return append.apply(mailboxes, args);
      },
    });
    const [client, recipient] = [await world.client(alice), await world.client(bob)];
    const count = 100;
    const bytes = 40_000;
    for (let i = 1; i <= count; i++) client.message(messageId(i), [bob], 'x'.repeat(bytes));
    let received = 0;
    while (received < count) {
      await new Promise((resolve) => setImmediate(resolve));
      ends.shift()?.();
      for (const frame of recipient.frames.splice(0)) {
        if (frame.kind !== 'deliver') continue;
        expect(frame.seq).toBe(++received);
        recipient.ack(received);
      }
    }
    await client.settled();
    expect(Math.max(...written)).toBe(Math.ceil(LIMITS.unwrittenBytes.value / bytes));
  });
});

describe('logins under way', () => {
  it('are bounded by address: the others wait, and get in', async () => {
    const { devices } = world.store;
    const find = devices.find;
    let [under, most] = [0, 0];
    const ends: (() => void)[] = [];
    Object.assign(devices, {
      async find(device: DeviceId) {
        most = Math.max(most, ++under);
        await new Promise<void>((resolve) => ends.push(resolve));
        under--;
        return find.call(devices, device);
      },
    });
    const token = await world.token(alice);
    const clients = await Promise.all(Array.from({ length: 40 }, () => TestClient.connect(world.node.url)));
    for (const client of clients) client.send({ kind: 'hello', token, lane: 'both', client: '' });
    let done = 0;
    const all = Promise.all(clients.map((client) => client.next('welcome').then(() => done++)));
    while (done < clients.length) {
      await new Promise((resolve) => setImmediate(resolve));
      ends.shift()?.();
    }
    await all;
    expect(most).toBe(LIMITS.loginsPerAddress.value);
    for (const { ws } of clients) ws.terminate();
  });

  it('a client that leaves makes room', async () => {
    const token = await world.token(alice);
    for (let i = 0; i < 3 * LIMITS.loginsPerAddress.value; i++) {
      const client = await TestClient.connect(world.node.url);
      client.send({ kind: 'hello', token, lane: 'both', client: '' });
      client.ws.terminate();
    }
    await (await world.client(alice)).settled();
  });
});
