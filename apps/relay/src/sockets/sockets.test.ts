import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { messageId, TestClient } from '../testing/test-client.ts';
import { openWorld, type World, type WorldOptions } from '../testing/test-relay.ts';
import { TICK_MS } from '../time/timer-wheel.ts';

const ORIGIN = 'https://chat.test';

let world: World;
let alice: DeviceId;
let bob: DeviceId;

async function begin(options: WorldOptions = {}): Promise<void> {
  world = await openWorld(options);
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
}
afterEach(() => world.close());

describe('upgrade', () => {
  beforeEach(() => begin({ settings: { allowedOrigins: [ORIGIN] } }));

  it('H01: a foreign origin is refused, a listed one and none at all pass', async () => {
    await expect(TestClient.connect(world.node.url, { origin: 'https://evil.test' })).rejects.toThrow('403');
    await expect(TestClient.connect(world.node.url, { origin: 'null' })).rejects.toThrow('403');
    for (const options of [{ origin: ORIGIN }, {}]) (await TestClient.connect(world.node.url, options)).ws.terminate();
  });

  it('S72: a token in the URL is refused', async () => {
    const token = await world.token(alice);
    await expect(TestClient.connect(`${world.node.url}?token=${token}`)).rejects.toThrow('400');
  });

  it('demands the subprotocol, and answers with it', async () => {
    await expect(TestClient.connect(world.node.url, {}, ['sealwire.v0'])).rejects.toThrow('400');
    await expect(TestClient.connect(world.node.url, {}, [])).rejects.toThrow('400');
    const client = await TestClient.connect(world.node.url, {}, ['sealwire.v2', 'sealwire.v1']);
    expect(client.ws.protocol).toBe('sealwire.v1');
    client.ws.terminate();
  });

  it('another path is not there, and plain requests are told to upgrade', async () => {
    await expect(TestClient.connect(world.node.url.replace('/relay', '/other'))).rejects.toThrow('404');
    const response = await fetch(world.node.url.replace('ws:', 'http:'));
    expect(response.status).toBe(426);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    await response.text();
  });

  it('H08: compression that is offered is not negotiated', async () => {
    const client = await TestClient.connect(world.node.url, { perMessageDeflate: true });
    expect(client.ws.extensions).toBe('');
    client.ws.terminate();
  });
});

describe('hello', () => {
  beforeEach(() => begin());

  it('H03: without one within five seconds the socket is closed, others are served', async () => {
    const silent = await TestClient.connect(world.node.url);
    world.time.pass(4_900);
    const client = await world.client(alice);
    world.time.pass(100 + TICK_MS);
    expect(await silent.closed).toEqual({ code: 4004, reason: 'no-hello' });
    await client.settled();
  });

  it('H03: a thousand silent sockets are all closed in time, and cost those who speak nothing', async () => {
    const silent: TestClient[] = [];
    while (silent.length < 1_000)
      silent.push(...(await Promise.all(Array.from({ length: 100 }, () => TestClient.connect(world.node.url)))));
    const client = await world.client(alice);
    world.time.pass(5_000 + TICK_MS);
    const codes = await Promise.all(silent.map(({ closed }) => closed.then(({ code }) => code)));
    expect(new Set(codes)).toEqual(new Set([4004]));
    await client.settled();
    expect(await world.node.metrics.text()).toContain('{code="4004"} 1000');
  });

  it('tells what the client needs to know', async () => {
    const client = await TestClient.connect(world.node.url);
    client.send({ kind: 'hello', token: await world.token(alice), lane: 'both', client: 'test' });
    expect(await client.next('welcome')).toEqual({
      kind: 'welcome',
      device: alice,
      serverTime: world.time.ms,
      expiresAt: world.time.ms + 15 * 60_000,
      window: 100,
    });
    client.ws.terminate();
  });

  it.each([
    ['a token that is none', async () => 'nonsense', 4101],
    [
      'an old token',
      async () => {
        const token = await world.token(alice);
        world.time.ms += 16 * 60_000 + 1_000;
        return token;
      },
      4100,
    ],
    [
      'I12: the token of a removed device',
      async () => {
        const token = await world.token(alice);
        await world.store.devices.remove(alice, world.time.ms);
        return token;
      },
      4401,
    ],
  ])('%s closes the socket', async (_, token, code) => {
    const client = await TestClient.connect(world.node.url);
    client.send({ kind: 'hello', token: await token(), lane: 'both', client: '' });
    expect((await client.closed).code).toBe(code);
  });

  it('must be the first frame, and only that', async () => {
    const early = await TestClient.connect(world.node.url);
    early.send({ kind: 'ping', nonce: 1 });
    expect((await early.closed).code).toBe(4400);
    const twice = await world.client(alice);
    twice.send({ kind: 'hello', token: 'x', lane: 'both', client: '' });
    expect((await twice.closed).code).toBe(4400);
  });

  it('what comes right behind it waits for it and is served', async () => {
    const client = await TestClient.connect(world.node.url);
    client.send({ kind: 'hello', token: await world.token(alice), lane: 'both', client: '' });
    client.message(messageId(1), [bob], 'at once');
    client.send({ kind: 'ping', nonce: 7 });
    expect((await client.next('pong')).nonce).toBe(7);
    await client.next('accepted');
    client.ws.terminate();
  });
});

describe('one session a device', () => {
  it('a newer connection closes the older one, which cannot acknowledge any more', async () => {
    await begin();
    const old = await world.client(bob);
    const other = await world.client(bob);
    expect(await old.closed).toEqual({ code: 4002, reason: 'replaced' });
    await other.settled();
  });

  it('on whatever node', async () => {
    await begin({ nodes: 2 });
    const old = await world.client(bob, 0);
    await world.client(bob, 1);
    expect((await old.closed).code).toBe(4002);
  });

  it('lanes: replica receives, contact sends, the two stand side by side, and both replaces both', async () => {
    await begin();
    const token = await world.token(alice);
    const replica = await TestClient.logIn(world.node.url, token, 'replica');
    const contact = await TestClient.logIn(world.node.url, token, 'contact');
    contact.message(messageId(1), [alice], 'to myself');
    await contact.next('accepted');
    expect(await replica.delivered(1)).toEqual(['to myself']);
    replica.message(messageId(2), [bob], 'x');
    expect(await replica.next('rejected')).toMatchObject({ code: 'forbidden' });
    await contact.settled();
    expect(contact.frames).toEqual([]);
    await world.client(alice);
    expect((await replica.closed).code).toBe(4002);
    expect((await contact.closed).code).toBe(4002);
  });
});

describe('time', () => {
  beforeEach(() => begin());

  it('A17: a peer that does not answer a ping within its time is cut', async () => {
    // Logs in and then never reads nor answers anything.
    (await world.client(alice)).ws.pause();
    const other = await world.client(bob);
    world.time.pass(25_000 + TICK_MS);
    await other.settled();
    world.time.pass(8_000 + TICK_MS);
    await other.settled();
    await other.settled();
    expect(await world.node.metrics.text()).toContain('sealwire_relay_connections_closed_total{code="4003"} 1');
  });

  it('I05: at the end of its token, and the skew, a socket is closed; not before', async () => {
    const client = await world.client(alice);
    for (let minute = 0; minute < 15; minute++) await pass(60_000, client);
    await pass(59_000, client);
    world.time.pass(1_000 + TICK_MS);
    expect(await client.closed).toEqual({ code: 4100, reason: 'token-expired' });
  });

  it('I05: unless it brings a newer one of the same device', async () => {
    const client = await world.client(alice);
    for (let minute = 0; minute < 10; minute++) await pass(60_000, client);
    client.send({ kind: 'renew', token: await world.token(bob) });
    expect((await client.next('error')).code).toBe('unauthorized');
    client.send({ kind: 'renew', token: await world.token(alice) });
    expect((await client.next('renewed')).expiresAt).toBe(world.time.ms + 15 * 60_000);
    for (let minute = 0; minute < 14; minute++) await pass(60_000, client);
  });

  /** Lets time pass in steps that leave the client time to answer pings. */
  async function pass(ms: number, client: TestClient): Promise<void> {
    for (let done = 0; done < ms; done += 5_000) {
      world.time.pass(Math.min(5_000, ms - done));
      await client.settled();
    }
  }
});

describe('hostile input', () => {
  beforeEach(() => begin());

  it('H06: fragments beyond the limit close the socket', async () => {
    const client = await world.client(alice);
    for (let i = 0; i < 100; i++) client.ws.send(Buffer.alloc(1), { fin: false, binary: true });
    expect((await client.closed).code).toBe(1008);
  });

  it('H14: a close frame with a long or broken reason is survived', async () => {
    const [hostile, other] = [await world.client(alice), await world.client(bob)];
    const socket = (hostile.ws as unknown as { _socket: Socket })._socket;
    socket.write(Buffer.from([0x88, 0x80 | 126, 0x03, 0xe8, 1, 2, 3, 4]));
    await hostile.closed;
    await other.settled();
  });

  it('H15: a frame of a newer version is answered with an error, and the socket lives', async () => {
    const client = await world.client(alice);
    client.ws.send(Buffer.from([0xfa, 0x01, 0x00]));
    expect((await client.next('error')).code).toBe('unknown-frame');
    await client.settled();
  });

  it.each([
    ['text', 'hello'],
    ['bytes that are no frame', Buffer.from([0xff, 0xff, 0xff])],
    ['nothing', Buffer.alloc(0)],
  ])('%s closes the socket as a protocol error', async (_, data) => {
    const client = await world.client(alice);
    client.ws.send(data);
    expect((await client.closed).code).toBe(4400);
    expect((await client.next('error')).code).toBe('bad-frame');
  });

  it('H16: an error nobody expected ends its socket, is counted, and the others live', async () => {
    const find = world.store.devices.list;
    Object.assign(world.store.devices, {
      list: () => {
        throw new RangeError('test');
      },
    });
    const [client, other] = [await world.client(alice), await world.client(bob)];
    client.message(messageId(1), [bob], 'x', true);
    expect(await client.next('rejected')).toMatchObject({ code: 'unavailable' });
    Object.assign(world.store.devices, { list: find });
    Object.assign(world.store.mailboxes, { append: async () => undefined });
    client.message(messageId(2), [bob], 'x');
    await other.settled();
    await client.settled();
    expect(await world.node.metrics.text()).toMatch(/sealwire_unhandled_errors_total\{where="relay-commit"\} 1/);
  });

  it('A15: a client that does not read is closed as slow, and holds no more than the bound', async () => {
    await world.close();
    await begin({ settings: { socketQueueBytes: 256 * 1024 } });
    const client = await world.client(alice);
    client.ws.pause();
    const body = new Uint8Array(90_000);
    const sender = await world.client(bob);
    for (let i = 0; i < 200; i++)
      sender.send({ kind: 'ephemeral', body, parts: [{ device: alice, content: body.slice(0, 1) }] });
    await sender.settled();
    await sender.settled();
    client.ws.resume();
    expect((await client.closed).code).toBe(4001);
  });
});
