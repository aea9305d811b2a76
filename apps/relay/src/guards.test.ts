/**
 * Guards of the delivery and sending paths, each with the test that fails without it (docs/testing.md): order across nodes, caught-up
 * once, repeats wake, ephemeral messages are bounded, a frame in crumbs is refused. Delivery, "order", "caught up", "idempotent send".
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { withFaults } from '@sealwire/store/faults';
import { openMemoryStore } from '@sealwire/store/memory';
import { StoreError } from '@sealwire/store/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { messageId, TestClient, textOf } from './testing/test-client.ts';
import { losesEverything, openWorld, turns, type World, type WorldOptions } from './testing/test-relay.ts';

let world: World;
let alice: DeviceId;
let bob: DeviceId;

async function begin(options: WorldOptions = {}): Promise<void> {
  world = await openWorld(options);
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
}
afterEach(() => world.close());

async function say(from: TestClient, number: number, text: string): Promise<void> {
  from.message(messageId(number), [bob], text);
  await from.next('accepted');
}

describe('a live message', () => {
  it('does not overtake one that another process stored and told nobody of: its acknowledgement would delete that one', async () => {
    await begin({ nodes: 2, wrapBus: losesEverything });
    const [here, there] = [await world.client(alice, 0), await world.client(await world.device('carol'), 1)];
    const to = await world.client(bob, 0);
    await to.next('caught-up');
    await say(there, 1, 'by another process');
    await say(here, 2, 'live');
    const [first, second] = [await to.next('deliver'), await to.next('deliver')];
    expect([first, second].map(textOf)).toEqual(['by another process', 'live']);
    to.ack(second.seq);
    await world.acknowledged(to);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 0 });
  });
});

describe('an acknowledgement', () => {
  it('A06: that comes before the backlog counts: what it names is not kept for the next socket', async () => {
    await begin();
    const from = await world.client(alice);
    for (const number of [1, 2]) await say(from, number, String(number));
    const first = await world.client(bob);
    await first.delivered(2);
    await first.end();
    const again = await TestClient.connect(world.node.url);
    again.send({ kind: 'hello', token: await world.token(bob), lane: 'both', client: '' });
    again.ack(2);
    await again.next('caught-up');
    await world.acknowledged(again);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 0 });
    again.ws.terminate();
  });
});

describe('caught-up', () => {
  it('A23: comes once, also when the mailbox is read to its end again', async () => {
    await begin({ nodes: 2 });
    const [there, to] = [await world.client(alice, 1), await world.client(bob, 0)];
    await to.next('caught-up');
    for (const number of [1, 2, 3]) {
      await say(there, number, String(number));
      expect(await to.delivered(1)).toEqual([String(number)]);
    }
    await to.settled();
    expect(to.frames).toEqual([]);
  });
});

describe('a repeated message', () => {
  it.each([
    ['the same node', 0],
    ['another node', 1],
  ])('A12: stored by an attempt that told nobody: the repeat alone wakes its recipient on %s', async (_where, at) => {
    let fate: 'done' | 'failed-but-persisted' = 'done';
    const store = withFaults(openMemoryStore(), (call) => (call === 'mailboxes.append' ? fate : 'done'));
    await begin({ nodes: 2, store });
    const [from, to] = [await world.client(alice, 0), await world.client(bob, at)];
    await to.next('caught-up');
    await turns(4);
    fate = 'failed-but-persisted';
    from.message(messageId(1), [bob], 'one');
    expect(await from.next('rejected')).toMatchObject({ code: 'unavailable' });
    await to.settled();
    expect(to.frames).toEqual([]);
    fate = 'done';
    await say(from, 1, 'one');
    expect(await to.delivered(1)).toEqual(['one']);
  });
});

describe('ephemeral messages', () => {
  const ephemeral = (from: TestClient, device: DeviceId, body: string) =>
    from.send({
      kind: 'ephemeral',
      body: new TextEncoder().encode(body),
      parts: [{ device, content: Uint8Array.of(1) }],
    });
  const ephemera = (to: TestClient) =>
    to.frames.flatMap((frame) => (frame.kind === 'ephemeral-deliver' ? [textOf(frame)] : []));

  it('A22: to one account are bounded: a burst, then one a second; the others are not touched', async () => {
    await begin({ settings: { messagesPerPair: { burst: 2, perSecond: 1 } } });
    const [from, to] = [await world.client(alice), await world.client(bob)];
    const carol = await world.device('carol');
    const other = await world.client(carol);
    for (const text of ['1', '2', '3', '4']) ephemeral(from, bob, text);
    ephemeral(from, carol, 'to another');
    await from.settled();
    await Promise.all([to.settled(), other.settled()]);
    expect(ephemera(to)).toEqual(['1', '2']);
    expect(ephemera(other)).toEqual(['to another']);
    world.time.ms += 1_000;
    for (const text of ['5', '6']) ephemeral(from, bob, text);
    await from.settled();
    await to.settled();
    expect(ephemera(to)).toEqual(['1', '2', '5']);
    expect(await world.node.metrics.text()).toContain('limiter="relay-ephemera-per-pair"} 3');
  });

  it('A22: beyond the payload’s limit are dropped', async () => {
    await begin({ settings: { payloadBytes: 10 } });
    const [from, to] = [await world.client(alice), await world.client(bob)];
    for (const text of ['0123456789', '012345678']) ephemeral(from, bob, text);
    await from.settled();
    await to.settled();
    expect(ephemera(to)).toEqual(['012345678']);
  });
});

describe('hostile input', () => {
  it('H06: a frame that comes in more crumbs than an honest network makes closes the socket', async () => {
    await begin();
    const accepted = once(world.node.server, 'connection') as Promise<[Socket]>;
    const client = await TestClient.connect(world.node.url);
    const [socket] = await accepted;
    const other = await world.client(bob);
    // The head of a masked frame of 50,000 bytes, and then its bytes one by one, as the server's kernel would hand them over.
    socket.push(Buffer.from([0x82, 0x80 | 126, 50_000 >>> 8, 50_000 & 0xff, 0, 0, 0, 0]));
    for (let i = 0; i <= 4_096; i++) socket.push(Buffer.alloc(1));
    expect((await client.closed).code).toBe(1008);
    await other.settled();
  });
});

describe('a mailbox that cannot be read', () => {
  it('A23: is read again within seconds, not at the next slow poll', async () => {
    const inner = openMemoryStore();
    let failures = 0;
    const read: typeof inner.mailboxes.read = async (device, range) => {
      if (failures-- > 0) throw new StoreError('unavailable', 'test');
      return inner.mailboxes.read(device, range);
    };
    await begin({ store: { ...inner, mailboxes: { ...inner.mailboxes, read } } });
    await say(await world.client(alice), 1, 'kept');
    failures = 1;
    const to = await world.client(bob);
    await to.settled();
    expect(to.frames).toEqual([]);
    world.time.pass(2_500);
    expect(await to.delivered(1)).toEqual(['kept']);
  });
});

describe('a mailbox while it is read', () => {
  it('A23: what is appended after the look into the mailbox, and before its answer, is delivered without a poll', async () => {
    const inner = openMemoryStore();
    let held: (() => void) | undefined;
    let holding = false;
    const read: typeof inner.mailboxes.read = async (device, range) => {
      const page = await inner.mailboxes.read(device, range);
      if (holding) await new Promise<void>((resolve) => (held = resolve));
      return page;
    };
    await begin({ store: { ...inner, mailboxes: { ...inner.mailboxes, read } } });
    const from = await world.client(alice);
    holding = true;
    const to = await world.client(bob);
    while (!held) await turns(1);
    holding = false;
    await say(from, 1, 'meanwhile');
    held();
    expect(await to.delivered(1)).toEqual(['meanwhile']);
  });
});

describe('a message that is not taken', () => {
  it('B08: because too many wait for their write is answered, and may be repeated', async () => {
    await begin({ settings: { waitingMessages: 0 } });
    const from = await world.client(alice);
    from.message(messageId(1), [bob], 'hello');
    expect(await from.next('rejected')).toMatchObject({ code: 'unavailable', retryable: true });
  });

  it.each([
    ['of another content under an old id', 'message-conflict', 1, () => bob],
    ['for a device that there is not', 'unknown-device', 2, () => `${bob}0` as DeviceId],
  ])('%s is rejected, and never accepted as well', async (_, code, number, to) => {
    await begin();
    const from = await world.client(alice);
    await say(from, 1, 'hello');
    from.message(messageId(number), [to()], 'something else');
    expect(await from.next('rejected')).toMatchObject({ code });
    await from.settled();
    expect(from.frames.map(({ kind }) => kind)).not.toContain('accepted');
  });
});
