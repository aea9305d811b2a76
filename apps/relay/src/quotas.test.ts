/** Limits and quotas of the relay, and that nobody turns them against a third person (docs/adr/0022-limits-count-accounts.md). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { DEFAULT_SETTINGS, type Rate } from './settings.ts';
import { messageId, type TestClient } from './testing/test-client.ts';
import { openWorld, type World, type WorldOptions } from './testing/test-relay.ts';

let world: World;

async function begin(settings: NonNullable<WorldOptions['settings']>): Promise<void> {
  world = await openWorld({ settings });
}
afterEach(() => world.close());

let lastId = 0;
const nextId = () => messageId(++lastId);

/** Takes the answers to `count` messages out of the frames of `from`: how many were taken, and how long to wait with the last refused one. */
async function answers(from: TestClient, count: number): Promise<{ taken: number; wait: number }> {
  let [taken, refused, wait] = [0, 0, 0];
  while (taken + refused < count) {
    await from.settled();
    for (const frame of from.frames.splice(0))
      if (frame.kind === 'accepted') taken += frame.ids.length;
      else if (frame.kind === 'rejected') {
        expect(frame).toMatchObject({ code: 'too-many-requests', retryable: true });
        wait = frame.retryAfterMs;
        refused += 1;
      }
  }
  return { taken, wait };
}

/** Whether it was taken, or how long to wait. */
async function outcome(from: TestClient, to: readonly DeviceId[], text = 'x'): Promise<'taken' | number> {
  from.message(nextId(), to, text);
  const { taken, wait } = await answers(from, 1);
  return taken ? 'taken' : wait;
}

describe('limits count accounts', () => {
  it('two devices of one account share what it may send to another account', async () => {
    await begin({ messagesPerPair: { burst: 3, perSecond: 1 } });
    const bob = await world.device('bob');
    const [first, second] = [
      await world.client(await world.device('alice')),
      await world.client(await world.device('alice', 2)),
    ];
    expect(await outcome(first, [bob])).toBe('taken');
    expect(await outcome(second, [bob])).toBe('taken');
    expect(await outcome(second, [bob])).toBe('taken');
    expect(await outcome(first, [bob])).toBe(1_000);
    expect(await outcome(await world.client(await world.device('alice', 3)), [bob])).toBe(1_000);
    expect(await outcome(await world.client(await world.device('carol')), [bob])).toBe('taken');
  });

  it('ephemera, too', async () => {
    await begin({ messagesPerPair: { burst: 2, perSecond: 1 } });
    const bob = await world.device('bob');
    const to = await world.client(bob);
    const senders = [await world.device('alice'), await world.device('alice', 2)];
    for (const sender of senders) {
      const from = await world.client(sender);
      for (let i = 0; i < 2; i++)
        from.send({ kind: 'ephemeral', body: new Uint8Array(1), parts: [{ device: bob, content: new Uint8Array(1) }] });
      await from.settled();
    }
    await to.settled();
    expect(to.frames.filter(({ kind }) => kind === 'ephemeral-deliver')).toHaveLength(2);
  });

  it('recipients who are made up bring no budget back', async () => {
    await begin({ messagesPerPair: { burst: 1, perSecond: 1 }, bytesPerSender: undefined });
    const bob = await world.device('bob');
    const to = await world.client(bob);
    const from = await world.client(await world.device('alice'));
    expect(await outcome(from, [bob])).toBe('taken');
    const ephemeral = (devices: readonly DeviceId[]) => {
      const parts = devices.map((device) => ({ device, content: new Uint8Array(1) }));
      from.send({ kind: 'ephemeral', body: new Uint8Array(1), parts });
    };
    ephemeral([bob]);
    for (let frame = 0; frame < 101; frame++) {
      const devices = Array.from(
        { length: 1_000 },
        (_, i) => `sip:n${frame}-${i}@relay.test;gr=urn:uuid:1` as DeviceId,
      );
      from.message(nextId(), devices, 'x');
      ephemeral(devices);
    }
    await from.settled();
    expect(from.frames.filter(({ kind }) => kind === 'rejected')).toHaveLength(101);
    from.frames.length = 0;
    expect(await outcome(from, [bob])).toBe(1_000);
    ephemeral([bob]);
    await from.settled();
    await to.settled();
    expect(to.frames.filter(({ kind }) => kind === 'ephemeral-deliver')).toHaveLength(1);
  }, 60_000);

  it('ephemera reach so many devices of everybody, then as many as were refilled', async () => {
    await begin({ ephemeraPerSender: { burst: 3, perSecond: 1 } });
    const devices = [await world.device('bob'), await world.device('carol')];
    const to = [await world.client(devices[0]!), await world.client(devices[1]!)];
    const from = await world.client(await world.device('alice'));
    const parts = devices.map((device) => ({ device, content: new Uint8Array(1) }));
    for (let i = 0; i < 2; i++) from.send({ kind: 'ephemeral', body: new Uint8Array(1), parts });
    await from.settled();
    world.time.ms += 1_000;
    from.send({ kind: 'ephemeral', body: new Uint8Array(1), parts });
    await from.settled();
    for (const client of to) await client.settled();
    expect(to.map(({ frames }) => frames.filter(({ kind }) => kind === 'ephemeral-deliver').length)).toEqual([2, 2]);
  });
});

describe('what one recipient may get', () => {
  const crowded = {
    messagesPerRecipient: { burst: 4, perSecond: 1 },
    bytesPerRecipient: { burst: 2_000, perSecond: 100 },
    alwaysPerPair: { messages: { burst: 2, perSecond: 0.1 }, bytes: { burst: 300, perSecond: 10 } },
  };

  it('is used up by many; yet each account always has a little, from any of its devices', async () => {
    await begin(crowded);
    const bob = await world.device('bob');
    const flooders = [
      await world.client(await world.device('mallory')),
      await world.client(await world.device('trudy')),
    ];
    const taken = [0, 0];
    for (let round = 0; round < 10; round++)
      for (const [i, flooder] of flooders.entries()) if ((await outcome(flooder, [bob])) === 'taken') taken[i]! += 1;
    // Two each of the four, and two each that nobody can take away.
    expect(taken).toEqual([4, 4]);
    const friend = await world.client(await world.device('alice'));
    expect(await outcome(friend, [bob])).toBe('taken');
    expect(await outcome(await world.client(await world.device('alice', 2)), [bob])).toBe('taken');
    expect(await outcome(friend, [bob])).toBe(1_000);
    expect(await world.node.metrics.text()).toContain('limiter="relay-messages-per-recipient"} 13');
  });

  it('J01: in bytes as well; one that is larger than the little waits for the next of it', async () => {
    await begin({ ...crowded, messagesPerRecipient: undefined });
    const bob = await world.device('bob');
    const flooder = await world.client(await world.device('mallory'));
    while ((await outcome(flooder, [bob], 'x'.repeat(499))) === 'taken') {}
    const friend = await world.client(await world.device('alice'));
    expect(await outcome(friend, [bob], 'x'.repeat(399))).toBe('taken');
    expect(await outcome(friend, [bob], 'x'.repeat(9))).toBe(100);
    expect(await world.node.metrics.text()).toContain('limiter="relay-bytes-per-recipient"}');
  });

  it('is counted once for all devices of an account, and for each account of a message', async () => {
    await begin({
      ...crowded,
      alwaysPerPair: { ...crowded.alwaysPerPair, messages: { burst: 1, perSecond: 0.1 } },
    });
    const bobs = [await world.device('bob'), await world.device('bob', 2)];
    const carol = await world.device('carol');
    const from = await world.client(await world.device('alice'));
    for (let i = 0; i < 4; i++) expect(await outcome(from, [...bobs, carol])).toBe('taken');
    for (const devices of [bobs.slice(1), [carol]]) {
      expect(await outcome(from, devices)).toBe('taken');
      expect(await outcome(from, devices)).toBe(1_000);
    }
    expect(await outcome(from, [await world.device('dave')])).toBe('taken');
  });

  it('seventeen accounts with ten devices each need more than ten minutes for a mailbox of 10,000; a friend writes meanwhile', async () => {
    const { messagesPerPair } = DEFAULT_SETTINGS;
    await begin({ messagesPerPair, messagesPerRecipient: DEFAULT_SETTINGS.messagesPerRecipient });
    const bob = await world.device('bob');
    const friend = await world.client(await world.device('alice'));
    const flooders: TestClient[] = [];
    for (let account = 0; account < 17; account++)
      for (let n = 1; n <= 10; n++) flooders.push(await world.client(await world.device(`mallory${account}`, n)));
    const held = async () => (await world.store.mailboxes.usage(bob)).messages;
    /** All that the relay takes of them now. */
    const flood = async () => {
      for (let before = -1; before < (await held()); ) {
        before = await held();
        for (const flooder of flooders) for (let i = 0; i < 6; i++) flooder.message(nextId(), [bob], '');
        for (const flooder of flooders) await answers(flooder, 6);
      }
    };
    await flood();
    const atOnce = await held();
    for (let minute = 0; minute < 5; minute++) {
      expect(await outcome(friend, [bob], `minute ${minute}`)).toBe('taken');
      world.time.ms += 60_000;
      await flood();
    }
    const { mails } = await world.store.mailboxes.read(bob, {
      after: 0,
      messages: 100_000,
      bytes: 2 ** 30,
      horizon: 0,
    });
    const friends = mails.filter(({ bytes }) => Buffer.from(bytes).includes('minute '));
    expect(friends).toHaveLength(5);
    expect(atOnce).toBeLessThan(1_200);
    // Ten minutes at this rate, and what came at once.
    expect(atOnce + 2 * (mails.length - atOnce - 5)).toBeLessThan(10_000);
  }, 60_000);
});

describe('what one account may write', () => {
  it('is so many bytes into mailboxes, its own devices’ too, whichever of its devices writes', async () => {
    await begin({ bytesPerSender: { burst: 20_000, perSecond: 1_000 } });
    const [phone, laptop] = [await world.device('alice'), await world.device('alice', 2)];
    const from = [await world.client(phone), await world.client(laptop)];
    let taken = 0;
    while ((await outcome(from[taken % 2]!, [taken % 2 ? phone : laptop], 'x'.repeat(975))) === 'taken') taken += 1;
    // 976 bytes and what a message costs beside them.
    expect(taken).toBe(10);
    expect(await outcome(await world.client(await world.device('bob')), [phone])).toBe('taken');
    expect(await world.node.metrics.text()).toContain('limiter="relay-bytes-per-sender"} 1');
  });

  it('by default is no 600 MiB in ten seconds, and what comes to one account fills no mailbox of its in a minute', async () => {
    await begin({});
    const { bytesPerSender, bytesPerRecipient, messagesPerRecipient, account } = DEFAULT_SETTINGS;
    const within = (rate: Rate | undefined, seconds: number) => rate!.burst + seconds * rate!.perSecond;
    expect(within(bytesPerSender, 10)).toBeLessThan(100 * 2 ** 20);
    const devices = LIMITS.devicesPerAccount.value;
    expect(within(messagesPerRecipient, 60)).toBeLessThan(account.messages / devices);
    expect(within(bytesPerRecipient, 60)).toBeLessThan(account.bytes / devices);
  });
});

describe('what waits for one account', () => {
  it('is bounded over all its devices: each mailbox has its share, and flooders lose theirs first', async () => {
    await begin({ account: { messages: 12, bytes: 2 ** 20 } });
    const devices = [await world.device('bob'), await world.device('bob', 2), await world.device('bob', 3)];
    const friend = await world.client(await world.device('alice'));
    const flooder = await world.client(await world.device('mallory'));
    await outcome(friend, devices, 'friend');
    for (let i = 0; i < 10; i++) await outcome(flooder, devices);
    const usages = await Promise.all(devices.map((device) => world.store.mailboxes.usage(device)));
    expect(usages.map(({ messages }) => messages)).toEqual([4, 4, 4]);
    const to = await world.client(devices[1]!);
    expect(await to.delivered(4)).toEqual(['friend', 'x', 'x', 'x']);
    expect(await to.next('gap')).toMatchObject({ count: 7, reason: 'trimmed' });
  });

  it('is divided anew when a device joins, also for messages to a single one of them', async () => {
    await begin({ account: { messages: 12, bytes: 2 ** 20 } });
    const bob = await world.device('bob');
    const from = await world.client(await world.device('alice'));
    for (let i = 0; i < 12; i++) await outcome(from, [bob]);
    await world.device('bob', 2);
    world.time.ms += DEFAULT_SETTINGS.accountDevicesMs;
    await outcome(from, [bob]);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 6 });
  });

  it('has a share for a single device that is no larger than a mailbox', async () => {
    await begin({ mailbox: { ...DEFAULT_SETTINGS.mailbox, messages: 3 }, account: { messages: 12, bytes: 2 ** 20 } });
    const bob = await world.device('bob');
    const from = await world.client(await world.device('alice'));
    for (let i = 0; i < 5; i++) await outcome(from, [bob]);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 3 });
  });
});
