import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { DEFAULT_SETTINGS } from './settings.ts';
import { messageId, TestClient, textOf } from './testing/test-client.ts';
import { openWorld, type World } from './testing/test-relay.ts';

let world: World;
let alice: DeviceId;
let bob: DeviceId;

beforeEach(async () => {
  world = await openWorld();
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
});
afterEach(() => world.close());

/** Sends numbers `from` to `to` from a client and waits until they are accepted. */
async function sendNumbers(client: TestClient, device: DeviceId, from: number, to: number): Promise<void> {
  for (let i = from; i <= to; i++) client.message(messageId(i), [device], String(i));
  let accepted = 0;
  while (accepted < to - from + 1) accepted += (await client.next('accepted')).ids.length;
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
}

describe('a gap', () => {
  it('in the middle is told in its place: what lies before it is delivered first, and not acknowledged with it', async () => {
    await world.close();
    world = await openWorld({ settings: { windowMessages: 2, mailbox: { ...DEFAULT_SETTINGS.mailbox, messages: 6 } } });
    [alice, bob] = [await world.device('alice'), await world.device('bob')];
    const carol = await world.device('carol');
    const [quiet, loud] = [await world.client(carol), await world.client(alice)];
    await sendNumbers(quiet, bob, 1, 2);
    await sendNumbers(loud, bob, 3, 8);
    const to = await world.client(bob);
    // Of alice's six the oldest two have gone: 3 and 4.
    const order: string[] = [];
    while (order.length < 7) {
      if (to.frames.length === 0) await to.settled();
      const frame = to.frames.shift();
      if (frame?.kind === 'deliver') order.push(textOf(frame));
      else if (frame?.kind === 'gap') order.push(`gap ${frame.count} ${frame.fromSeq}-${frame.toSeq}`);
      if (frame?.kind === 'deliver') to.ack(frame.seq);
      else if (frame?.kind === 'gap') to.ack(frame.toSeq);
    }
    expect(order).toEqual(['1', '2', 'gap 2 3-4', '5', '6', '7', '8']);
  });
});

describe('a gap behind all that is there', () => {
  it('A21: is told before caught-up, though nothing follows it, and again until it is acknowledged', async () => {
    await sendNumbers(await world.client(alice), bob, 1, 3);
    await world.age(46 * 24 * 3_600_000);
    for (const socket of ['first', 'second']) {
      const to = await world.client(bob);
      const gap = await to.next('gap');
      expect([socket, gap]).toEqual([socket, { kind: 'gap', count: 3, fromSeq: 1, toSeq: 3, reason: 'expired' }]);
      expect((await to.next('caught-up')).lastSeq).toBe(3);
      to.ws.terminate();
    }
    const last = await world.client(bob);
    await last.next('caught-up');
    last.ack(3);
    await world.acknowledged(last);
    last.ws.terminate();
    const after = await world.client(bob);
    await after.next('caught-up');
    expect(after.frames).toEqual([]);
  });
});

describe('one message', () => {
  it('is accepted, delivered live, and forgotten when acknowledged', async () => {
    const [from, to] = [await world.client(alice), await world.client(bob)];
    expect((await to.next('caught-up')).lastSeq).toBe(0);
    from.message(messageId(1), [bob], 'hello');
    expect((await from.next('accepted')).ids).toEqual([messageId(1)]);
    const frame = await to.next('deliver');
    expect({ ...frame, text: textOf(frame) }).toMatchObject({ seq: 1, sender: alice, id: messageId(1), text: 'hello' });
    expect(frame.acceptedAt).toBe(world.time.ms);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 1 });
    to.ack(1);
    await world.acknowledged(to);
    expect(await world.store.mailboxes.usage(bob)).toEqual({ messages: 0, bytes: 0 });
  });

  it('waits in the mailbox of a device that is away', async () => {
    const from = await world.client(alice);
    await sendNumbers(from, bob, 1, 3);
    const to = await world.client(bob);
    expect(await to.delivered(3)).toEqual(numbers(1, 3));
    expect((await to.next('caught-up')).lastSeq).toBe(3);
  });

  it('A25: to nobody, or to oneself, is accepted', async () => {
    const from = await world.client(alice);
    from.message(messageId(1), [], 'nobody', true);
    expect((await from.next('accepted')).ids).toEqual([messageId(1)]);
    from.message(messageId(2), [alice], 'me');
    expect((await from.next('accepted')).ids).toEqual([messageId(2)]);
    expect(await from.delivered(1)).toEqual(['me']);
  });

  it('E09: reaches many devices with one body and a part for each', async () => {
    const members = await Promise.all(Array.from({ length: 100 }, (_, i) => world.device(`member${i}`)));
    const online = await Promise.all(members.slice(0, 10).map((member) => world.client(member)));
    const from = await world.client(alice);
    const parts = members.map((device, i) => ({ device, content: new Uint8Array([i]) }));
    const body = new Uint8Array(40_000).fill(7);
    from.send({ kind: 'send', id: messageId(1), body, parts, allDevices: true, ownElsewhere: false });
    await from.next('accepted');
    for (const [i, client] of online.entries()) {
      const frame = await client.next('deliver');
      expect(frame.content).toEqual(new Uint8Array([i]));
      expect(Buffer.compare(frame.body, body)).toBe(0);
    }
    const late = await world.client(members[99]!);
    expect((await late.next('deliver')).content).toEqual(new Uint8Array([99]));
  });
});

describe('acknowledgements', () => {
  it('A03: what was delivered and not acknowledged comes again after a reconnect, with the same id and seq', async () => {
    const [from, to] = [await world.client(alice), await world.client(bob)];
    await sendNumbers(from, bob, 1, 2);
    const first = [await to.next('deliver'), await to.next('deliver')];
    to.ws.terminate();
    const again = await world.client(bob);
    expect([await again.next('deliver'), await again.next('deliver')]).toEqual(first);
  });

  it('A06: an acknowledgement repeated on the next socket is a no-op, even before the backlog', async () => {
    const [from, to] = [await world.client(alice), await world.client(bob)];
    await sendNumbers(from, bob, 1, 2);
    await to.delivered(2);
    to.ack(2);
    await world.acknowledged(to);
    await to.end();
    const again = await TestClient.connect(world.node.url);
    again.send({ kind: 'hello', token: await world.token(bob), lane: 'both', client: '' });
    again.ack(2);
    again.ack(1);
    expect((await again.next('caught-up')).lastSeq).toBe(2);
    await again.settled();
    await sendNumbers(from, bob, 3, 3);
    expect(await again.delivered(1)).toEqual(['3']);
    again.ws.terminate();
  });

  it('A09: one beyond the last sent closes the socket, and nothing is deleted', async () => {
    const [from, to] = [await world.client(alice), await world.client(bob)];
    await sendNumbers(from, bob, 1, 1);
    await to.delivered(1);
    to.ack(2);
    expect((await to.closed).code).toBe(4400);
    world.time.pass(1_000);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 1 });
  });

  it('of a replaced session are refused', async () => {
    const from = await world.client(alice);
    const to = await world.client(bob);
    await sendNumbers(from, bob, 1, 1);
    await to.delivered(1);
    const newest = Number.MAX_SAFE_INTEGER;
    expect(await world.store.mailboxes.claimSession(bob, newest)).toBe(newest);
    to.ack(1);
    await to.settled();
    world.time.pass(DEFAULT_SETTINGS.ackEveryMs);
    expect(await to.closed).toEqual({ code: 4002, reason: 'replaced' });
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 1 });
  });
});

describe('backlog', () => {
  it('A23: caught-up comes once, with the last seq; what arrives during the backlog keeps its order', async () => {
    const from = await world.client(alice);
    await sendNumbers(from, bob, 1, 250);
    const to = await world.client(bob);
    expect(await to.delivered(100)).toEqual(numbers(1, 100));
    await sendNumbers(from, bob, 251, 260);
    await to.settled();
    // The window is full: nothing more comes before an acknowledgement.
    expect(to.frames).toEqual([]);
    to.ack(100);
    expect(await to.delivered(100)).toEqual(numbers(101, 200));
    to.ack(200);
    expect(await to.delivered(60)).toEqual(numbers(201, 260));
    expect((await to.next('caught-up')).lastSeq).toBe(260);
    await sendNumbers(from, bob, 261, 262);
    expect(await to.delivered(2)).toEqual(numbers(261, 262));
    to.ack(262);
    await to.settled();
    expect(to.frames).toEqual([]);
  });

  it('is bounded in bytes too', async () => {
    const from = await world.client(alice);
    const big = 'x'.repeat(90_000);
    for (let i = 1; i <= 15; i++) from.message(messageId(i), [bob], big);
    let accepted = 0;
    while (accepted < 15) accepted += (await from.next('accepted')).ids.length;
    const to = await world.client(bob);
    await to.delivered(11);
    await to.settled();
    expect(to.frames).toEqual([]);
    to.ack(11);
    await to.delivered(4);
    await to.next('caught-up');
  });

  it('A21: what expired while the device was away is told as a gap, until it is acknowledged', async () => {
    const from = await world.client(alice);
    await sendNumbers(from, bob, 1, 3);
    await world.age(46 * 24 * 3_600_000);
    await sendNumbers(await world.client(alice), bob, 4, 4);
    const gap = { kind: 'gap', count: 3, fromSeq: 1, toSeq: 3, reason: 'expired' };
    const to = await world.client(bob);
    expect(await to.next('gap')).toEqual(gap);
    expect(await to.delivered(1)).toEqual(['4']);
    to.ws.terminate();
    const again = await world.client(bob);
    expect(await again.next('gap')).toEqual(gap);
    await again.next('caught-up');
    again.ack(4);
    await world.acknowledged(again);
    again.ws.terminate();
    const third = await world.client(bob);
    await third.next('caught-up');
    expect(third.frames).toEqual([]);
  });
});
