import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openMemoryBus } from '@sealwire/bus/memory';
import { type Fate, withFaults } from '@sealwire/store/faults';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Store } from '@sealwire/store/port';
import type { Rejected } from '@sealwire/wire/frames';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { encodeNodeMessage, NODES_CHANNEL } from '@sealwire/wire/node-messages';
import type { RelaySettings } from './settings.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { messageId, type TestClient } from './testing/test-client.ts';
import { losesEverything, openWorld, type World, type WorldOptions } from './testing/test-relay.ts';

let world: World;
let alice: DeviceId;
let bob: DeviceId;
let from: TestClient;

async function begin(options: WorldOptions = {}): Promise<void> {
  world = await openWorld(options);
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
  from = await world.client(alice);
}
afterEach(() => world.close());

describe('idempotent send', () => {
  // A bus that loses everything, so that one device stays connected to two nodes.
  beforeEach(() => begin({ nodes: 2, wrapBus: losesEverything }));

  it('A10: the same message sent five times in parallel over two nodes → stored once, five equal answers', async () => {
    const there = await world.client(alice, 1);
    for (const socket of [from, there, from, there, from]) socket.message(messageId(1), [bob], 'once');
    const answers = await Promise.all([answersOf(from, 3), answersOf(there, 2)]);
    expect(answers.flat()).toEqual(Array.from({ length: 5 }, () => messageId(1)));
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 1 });
  });

  it('A11: same id, other content → conflict, nothing stored', async () => {
    from.message(messageId(1), [bob], 'one');
    await from.next('accepted');
    from.message(messageId(1), [bob], 'other');
    expect(await from.next('rejected')).toMatchObject({ code: 'message-conflict', retryable: false, id: messageId(1) });
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 1 });
  });
});

async function answersOf(client: TestClient, count: number) {
  const ids = [];
  while (ids.length < count) ids.push(...(await client.next('accepted')).ids);
  return ids;
}

describe('devices of the recipient', () => {
  beforeEach(() => begin());

  it('E01: missing and extra devices → refused with both lists, nothing delivered to anyone', async () => {
    const [bob2, carol] = [await world.device('bob', 2), await world.device('carol')];
    const [to, other] = [await world.client(bob), await world.client(carol)];
    const ghost = `${bob.split(';')[0]};gr=urn:uuid:9` as DeviceId;
    from.message(messageId(1), [bob, ghost, carol], 'x', true);
    expect(await from.next('rejected')).toMatchObject({
      code: 'device-mismatch',
      retryable: true,
      missing: [bob2],
      extra: [ghost],
    });
    await Promise.all([to.settled(), other.settled()]);
    expect([...to.frames, ...other.frames].filter(({ kind }) => kind === 'deliver')).toEqual([]);
    expect(await world.store.mailboxes.usage(carol)).toMatchObject({ messages: 0 });
  });

  it('E02: a device added since → refused, then accepted with it, though the old list was remembered and the bus says nothing', async () => {
    from.message(messageId(1), [bob], 'to one', true);
    await from.next('accepted');
    const bob2 = await world.device('bob', 2);
    world.time.ms += DEFAULT_SETTINGS.accountDevicesMs;
    from.message(messageId(2), [bob], 'too few', true);
    expect(await from.next('rejected')).toMatchObject({ code: 'device-mismatch', missing: [bob2], extra: [] });
    from.message(messageId(2), [bob, bob2], 'to both', true);
    await from.next('accepted');
    expect(await (await world.client(bob2)).delivered(1)).toEqual(['to both']);
  });

  it('E02: a bus message makes a node forget the old list at once', async () => {
    from.message(messageId(1), [bob], 'to one', true);
    await from.next('accepted');
    await world.device('bob', 2);
    const address = 'sip:bob@relay.test' as never;
    await openMemoryBus(world.hub).publish(
      NODES_CHANNEL,
      encodeNodeMessage({ kind: 'devices-changed', address, version: 0, devices: [] }),
    );
    await from.settled();
    from.message(messageId(2), [bob], 'too few', true);
    expect(await from.next('rejected')).toMatchObject({ code: 'device-mismatch' });
  });

  it('the sender’s own device need not be named, its other ones must', async () => {
    const alice2 = await world.device('alice', 2);
    from.message(messageId(1), [bob, alice2], 'mirror', true);
    await from.next('accepted');
    expect(await (await world.client(alice2)).delivered(1)).toEqual(['mirror']);
  });

  it('E02: a sender that does not know of its own new device yet is told of it, like of a recipient’s', async () => {
    from.message(messageId(1), [bob], 'to one', true);
    await from.next('accepted');
    const alice2 = await world.device('alice', 2);
    const address = 'sip:alice@relay.test' as never;
    const changed = encodeNodeMessage({ kind: 'devices-changed', address, version: 2, devices: [alice, alice2] });
    await openMemoryBus(world.hub).publish(NODES_CHANNEL, changed);
    expect(await from.next('manifest-published')).toMatchObject({ version: 2 });
    from.message(messageId(2), [bob], 'without a copy', true);
    expect(await from.next('rejected')).toMatchObject({ code: 'device-mismatch', missing: [alice2], extra: [] });
    // In one frame of several they are not looked at, the recipients' are.
    const rest = { kind: 'send', body: new Uint8Array(1), allDevices: true, ownElsewhere: true } as const;
    const part = (device: DeviceId) => ({ device, content: new Uint8Array(1) });
    from.send({ ...rest, id: messageId(4), parts: [part(bob)] });
    expect((await from.next('accepted')).ids).toEqual([messageId(4)]);
    const carol = [await world.device('carol', 1), await world.device('carol', 2)] as const;
    from.send({ ...rest, id: messageId(5), parts: [part(bob), part(carol[0])] });
    expect(await from.next('rejected')).toMatchObject({ code: 'device-mismatch', missing: [carol[1]], extra: [] });
    // Who names the recipients itself, as a receipt does, owes nobody a copy.
    from.message(messageId(3), [bob], 'to one of them');
    expect((await from.next('accepted')).ids).toEqual([messageId(3)]);
  });

  it('an unknown device is refused and named', async () => {
    const ghost = 'sip:nobody@relay.test;gr=urn:uuid:1' as DeviceId;
    from.message(messageId(1), [bob, ghost], 'x');
    expect(await from.next('rejected')).toMatchObject({ code: 'unknown-device', extra: [ghost] });
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 0 });
  });

  it('S73: the same device twice breaks the protocol', async () => {
    from.message(messageId(1), [bob, bob], 'x');
    expect((await from.closed).code).toBe(4400);
  });

  it('keeps the order of one sender while a list is being fetched', async () => {
    const to = await world.client(bob);
    for (let i = 1; i <= 20; i++) from.message(messageId(i), [bob], String(i), i % 2 === 1);
    expect(await to.delivered(20)).toEqual(Array.from({ length: 20 }, (_, i) => String(i + 1)));
  });
});

describe('limits', () => {
  const full = (whenFull: 'refuse' | 'trim'): Partial<RelaySettings> => ({
    mailbox: { ...DEFAULT_SETTINGS.mailbox, messages: 3, whenFull },
  });

  it('A20: a full mailbox refuses, and says so to the sender', async () => {
    await begin({ settings: full('refuse') });
    for (let i = 1; i <= 4; i++) from.message(messageId(i), [bob], String(i));
    expect(await from.next('rejected')).toMatchObject({ id: messageId(4), code: 'mailbox-full', full: [bob] });
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 3 });
  });

  it('A20: one full mailbox keeps a message from nobody else; the sender hears whom it did not reach, also when it asks again', async () => {
    await begin({ settings: full('refuse') });
    const carol = await world.device('carol');
    for (let i = 1; i <= 3; i++) from.message(messageId(i), [bob], String(i));
    await answersOf(from, 3);
    const to = await world.client(carol);
    for (let time = 0; time < 2; time++) {
      from.message(messageId(4), [bob, carol], 'for both');
      expect(await from.next('left-out')).toEqual({
        kind: 'left-out',
        id: messageId(4),
        code: 'mailbox-full',
        devices: [bob],
      });
      expect((await from.next('accepted')).ids).toEqual([messageId(4)]);
    }
    expect(await to.delivered(1)).toEqual(['for both']);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 3 });
  });

  it('A20: or trims the oldest, and tells the recipient', async () => {
    await begin({ settings: full('trim') });
    for (let i = 1; i <= 5; i++) from.message(messageId(i), [bob], String(i));
    await answersOf(from, 5);
    const to = await world.client(bob);
    expect(await to.next('gap')).toEqual({ kind: 'gap', count: 2, fromSeq: 1, toSeq: 2, reason: 'trimmed' });
    expect(await to.delivered(3)).toEqual(['3', '4', '5']);
  });

  it('the payload: as large as the limit passes, one byte more is refused', async () => {
    await begin({ settings: { payloadBytes: 1_000 } });
    from.message(messageId(1), [bob], 'x'.repeat(999));
    await from.next('accepted');
    from.message(messageId(2), [bob], 'x'.repeat(1_000));
    expect(await from.next('rejected')).toMatchObject({ code: 'payload-too-large', retryable: false });
  });

  it('the frame: one byte above the limit closes the socket with 1009', async () => {
    await begin();
    from.ws.send(Buffer.alloc(LIMITS.frameBytes.value + 1));
    expect((await from.closed).code).toBe(1009);
  });

  it('messages to one account: a burst, then one a second; the others are not touched', async () => {
    await begin({ settings: { messagesPerPair: { burst: 3, perSecond: 1 } } });
    const carol = await world.device('carol');
    for (let i = 1; i <= 4; i++) from.message(messageId(i), [bob], String(i));
    await answersOf(from, 3);
    expect(await from.next('rejected')).toMatchObject({
      code: 'too-many-requests',
      retryable: true,
      retryAfterMs: 1_000,
    });
    from.message(messageId(5), [carol], 'x');
    await from.next('accepted');
    world.time.ms += 1_000;
    from.message(messageId(4), [bob], '4');
    await from.next('accepted');
    expect(await world.node.metrics.text()).toContain('limiter="relay-messages-per-pair"} 1');
  });

  it('D17, S76: lists of devices cannot be had by the thousand from refusals', async () => {
    await begin({ settings: { mismatchesPerSender: { burst: 2, perSecond: 1 } } });
    const ask = (id: number, name: string) =>
      from.message(messageId(id), [`sip:${name}@relay.test;gr=urn:uuid:9` as DeviceId], 'x', true);
    for (const [i, name] of ['bob', 'nobody', 'bob', 'nobody'].entries()) ask(i + 1, name);
    const answers = [];
    while (answers.length < 4) answers.push(await from.next('rejected'));
    expect(answers.map(({ code }) => code)).toEqual([
      'device-mismatch',
      'device-mismatch',
      'too-many-requests',
      'too-many-requests',
    ]);
    const [, , known, unknown] = answers as [unknown, unknown, Rejected, Rejected];
    expect({ ...known, id: 0 }).toEqual({ ...unknown, id: 0 });
    expect(known).toMatchObject({ retryable: true, retryAfterMs: 1_000, missing: [], extra: [] });
    from.message(messageId(5), [bob], 'as it should be', true);
    await from.next('accepted');
    world.time.ms += 1_000;
    ask(3, 'bob');
    expect(await from.next('rejected')).toMatchObject({ code: 'device-mismatch', missing: [bob] });
    expect(await world.node.metrics.text()).toContain('limiter="relay-mismatches-per-sender"} 2');
  });
});

describe('a store that fails', () => {
  /** A store whose appends meet that fate from now on. */
  function failing(): { store: Store; appends: (fate: Fate) => void } {
    let fate: Fate = 'done';
    return {
      appends: (next) => {
        fate = next;
      },
      store: withFaults(openMemoryStore(), (call) => (call === 'mailboxes.append' ? fate : 'done')),
    };
  }

  it('is unavailable for the sender, and nothing is pushed', async () => {
    const { store, appends } = failing();
    await begin({ store });
    const to = await world.client(bob);
    await to.next('caught-up');
    appends('failed');
    from.message(messageId(1), [bob], 'x');
    expect(await from.next('rejected')).toMatchObject({ code: 'unavailable', retryable: true });
    await to.settled();
    expect(to.frames).toEqual([]);
  });

  it('A12: failed but persisted: the repeat is accepted, the recipient gets it once and in order', async () => {
    const { store, appends } = failing();
    await begin({ store });
    const to = await world.client(bob);
    appends('failed-but-persisted');
    from.message(messageId(1), [bob], 'one');
    expect(await from.next('rejected')).toMatchObject({ code: 'unavailable', retryable: true });
    appends('done');
    from.message(messageId(1), [bob], 'one');
    from.message(messageId(2), [bob], 'two');
    expect(await answersOf(from, 2)).toEqual([messageId(1), messageId(2)]);
    expect(await to.delivered(2)).toEqual(['one', 'two']);
    await to.settled();
    expect(to.frames.filter(({ kind }) => kind === 'deliver')).toEqual([]);
  });
});
