/** Who may write to whom: blocks and contact requests, as the relay enforces them (docs/spec/contacts.md section 5). */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Counters } from '@sealwire/bus/counters';
import { openMemoryBus } from '@sealwire/bus/memory';
import { sharedCounters } from '@sealwire/bus/testing/shared-counters';
import { allowedEntry, allowedSet, CONTACT_RULES, type ContactRules, NO_RULES } from '@sealwire/wire/contacts';
import type { ServerFrame } from '@sealwire/wire/frames';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { encodeNodeMessage, NODES_CHANNEL } from '@sealwire/wire/node-messages';
import { messageId, type TestClient, textOf } from './testing/test-client.ts';
import { openWorld, turns, type World, type WorldOptions } from './testing/test-relay.ts';

const SALT = new Uint8Array(16).fill(5);
const DAY_MS = 86_400_000;
const sha256 = (data: Uint8Array) => new Uint8Array(createHash('sha256').update(data).digest());

let world: World;
let alice: DeviceId;
let bob: DeviceId;
let carol: DeviceId;

async function open(options: WorldOptions = {}): Promise<void> {
  world = await openWorld(options);
  [alice, bob, carol] = [await world.device('alice'), await world.device('bob'), await world.device('carol')];
}
beforeEach(() => open());
afterEach(() => world.close());

/** Says who may write to the account of `device`, as the API does. */
async function rule(device: DeviceId, rules: Partial<ContactRules>): Promise<void> {
  const address = accountOf(device);
  const [before] = await world.store.accountRecords.read([address], 'contact-rules');
  const after = before?.version ?? 0;
  const bytes = CONTACT_RULES.encode({ ...NO_RULES, salt: SALT, ...rules });
  await world.store.accountRecords.replace(address, 'contact-rules', after, { version: after + 1, bytes });
  const changed = encodeNodeMessage({ kind: 'contacts-changed', address, version: 0, devices: [] });
  await openMemoryBus(world.hub).publish(NODES_CHANNEL, changed);
  await turns(4);
}

const letIn = (...devices: readonly DeviceId[]) =>
  allowedSet(devices.map((device) => allowedEntry(sha256, SALT, accountOf(device))));

/** All that comes as an answer to what was sent so far. */
async function answers(client: TestClient): Promise<ServerFrame[]> {
  await client.settled();
  return client.frames.splice(0).filter(({ kind }) => kind !== 'caught-up');
}

async function mailOf(device: DeviceId): Promise<number> {
  return (await world.store.mailboxes.usage(device)).messages;
}

describe('a blocked account', () => {
  it('J05: is answered as if the devices were offline, and nothing of it arrives', async () => {
    await rule(alice, { blocked: [accountOf(bob)] });
    const [ofBob, ofCarol] = [await world.client(bob), await world.client(carol)];
    const say = async (client: TestClient) => {
      const told: ServerFrame[] = [];
      client.message(messageId(1), [alice], 'one', true);
      told.push(await client.next('accepted'));
      client.message(messageId(1), [alice], 'one', true);
      told.push(await client.next('accepted'));
      client.message(messageId(1), [alice], 'another', true);
      told.push(await client.next('rejected'));
      client.message(messageId(2), [`${accountOf(alice)};gr=urn:uuid:9` as DeviceId], 'to whom', true);
      told.push(await client.next('rejected'));
      return [...told, ...(await answers(client))];
    };
    const answered = await say(ofBob);
    expect(answered).toEqual(await say(ofCarol));
    expect(answered.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'rejected', 'rejected']);
    expect(await (await world.client(alice)).delivered(1)).toEqual(['one']);
    expect(await mailOf(alice)).toBe(1);
  });

  it('J05: waits for the same durable write as anybody', async () => {
    await rule(alice, { blocked: [accountOf(bob)] });
    const appends: number[] = [];
    const { append } = world.store.mailboxes;
    let go = () => {};
    Object.assign(world.store.mailboxes, {
      append: async (...args: Parameters<typeof append>) => {
        appends.push(args[0].length);
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        return append(...args);
      },
    });
    const ofBob = await world.client(bob);
    ofBob.message(messageId(1), [alice], 'one', true);
    expect(await answers(ofBob)).toEqual([]);
    expect(appends).toEqual([1]);
    go();
    expect((await ofBob.next('accepted')).ids).toEqual([messageId(1)]);
  });

  it('has its copies on its other devices, and reaches the others of a message', async () => {
    const bobs = await world.device('bob', 2);
    await rule(alice, { blocked: [accountOf(bob)] });
    const ofBob = await world.client(bob);
    ofBob.message(messageId(1), [alice, bobs, carol], 'to both', true);
    await ofBob.next('accepted');
    expect(await Promise.all([alice, bobs, carol].map(mailOf))).toEqual([0, 1, 1]);
    expect(await answers(ofBob)).toEqual([]);
  });

  it('is out on every node with the next message, and in again when the block ends', async () => {
    await world.close();
    await open({ nodes: 2 });
    const clients = [await world.client(bob, 0), await world.client(await world.device('bob', 2), 1)];
    let n = 0;
    const sendFromBoth = async () => {
      for (const client of clients) {
        client.message(messageId(++n), [alice], 'hello');
        await client.next('accepted');
      }
    };
    await sendFromBoth();
    expect(await mailOf(alice)).toBe(2);
    await rule(alice, { blocked: [accountOf(bob)] });
    await sendFromBoth();
    expect(await mailOf(alice)).toBe(2);
    await rule(alice, {});
    await sendFromBoth();
    expect(await mailOf(alice)).toBe(4);
  });

  it('is out two seconds later where the bus loses the news', async () => {
    await world.close();
    await open({ wrapBus: (bus) => ({ ...bus, subscribe: async () => ({ unsubscribe: async () => {} }) }) });
    const client = await world.client(bob);
    client.message(messageId(1), [alice], 'hello');
    await client.next('accepted');
    await rule(alice, { blocked: [accountOf(bob)] });
    world.time.ms += 2_001;
    client.message(messageId(2), [alice], 'hello');
    await client.next('accepted');
    expect(await mailOf(alice)).toBe(1);
  });

  it('J05: says nothing by what is not stored either', async () => {
    await rule(alice, { blocked: [accountOf(bob)] });
    const [ofAlice, ofBob, ofCarol] = [await world.client(alice), await world.client(bob), await world.client(carol)];
    const type = async (client: TestClient, text: string) => {
      const parts = [{ device: alice, content: new Uint8Array(1) }];
      client.send({ kind: 'ephemeral', body: new TextEncoder().encode(text), parts });
      expect(await answers(client)).toEqual([]);
    };
    for (let i = 0; i < 2; i++) await type(ofBob, 'blocked');
    for (let i = 0; i < 2; i++) await type(ofCarol, 'typing');
    const heard = [await ofAlice.next('ephemeral-deliver'), await ofAlice.next('ephemeral-deliver')];
    expect(heard.map(textOf)).toEqual(['typing', 'typing']);
  });

  it('J01: uses up nothing of what others may write', async () => {
    await world.close();
    await open({ settings: { messagesPerRecipient: { burst: 3, perSecond: 0.001 } } });
    await rule(alice, { blocked: [accountOf(bob)] });
    const [ofBob, ofCarol] = [await world.client(bob), await world.client(carol)];
    for (let n = 1; n <= 9; n++) {
      ofBob.message(messageId(n), [alice], 'flood');
      await ofBob.next('accepted');
    }
    for (let n = 1; n <= 3; n++) {
      ofCarol.message(messageId(n), [alice], 'a word');
      await ofCarol.next('accepted');
    }
    expect(await mailOf(alice)).toBe(3);
    expect(await world.node.metrics.text()).not.toContain('limiter="relay-messages-per-recipient"} 1');
  });
});

describe('a stranger', () => {
  const say = async (client: TestClient, n: number, text = 'it is me') => {
    client.message(messageId(n), [alice], text, true);
    while (!client.frames.some(({ kind }) => kind === 'accepted' || kind === 'rejected')) await client.settled();
    return answers(client);
  };
  const kinds = (frames: readonly ServerFrame[]) => frames.map(({ kind }) => kind);
  const REFUSED = [expect.objectContaining({ kind: 'rejected', code: 'contact-needed', retryable: false })];

  it('sends one small message a day, which may be repeated; who was let in sends what it likes', async () => {
    await rule(alice, { policy: 'requests', allowed: letIn(carol) });
    const [ofBob, ofCarol] = [await world.client(bob), await world.client(carol)];
    expect(kinds(await say(ofBob, 1))).toEqual(['accepted']);
    expect(kinds(await say(ofBob, 1))).toEqual(['accepted']);
    expect(await say(ofBob, 2, 'and again')).toEqual(REFUSED);
    world.time.ms += DAY_MS - 1;
    expect(await say(ofBob, 3, 'and again')).toEqual(REFUSED);
    for (let n = 1; n <= 3; n++) expect(kinds(await say(ofCarol, n))).toEqual(['accepted']);
    world.time.ms += 1;
    expect(kinds(await say(ofBob, 4, 'next day'))).toEqual(['accepted']);
    await rule(alice, { policy: 'requests', allowed: letIn(bob, carol) });
    for (let n = 5; n <= 7; n++) expect(kinds(await say(ofBob, n))).toEqual(['accepted']);
    expect(await mailOf(alice)).toBe(8);
  });

  it('cannot send much at once', async () => {
    await rule(alice, { policy: 'requests' });
    const ofBob = await world.client(bob);
    // A part has one byte here.
    const most = 'x'.repeat(LIMITS.contactRequestBytes.value - 1);
    expect(await say(ofBob, 1, `${most}x`)).toEqual(REFUSED);
    expect(kinds(await say(ofBob, 2, most))).toEqual(['accepted']);
  });

  it('is answered the same where none are wanted, and nothing of it arrives', async () => {
    await rule(alice, { policy: 'requests' });
    const [ofBob, ofCarol] = [await world.client(bob), await world.client(carol)];
    const all = async (client: TestClient) => [
      await say(client, 1),
      await say(client, 1),
      await say(client, 2, 'more'),
    ];
    const whereTaken = await all(ofBob);
    await rule(alice, { policy: 'contacts' });
    expect(await all(ofCarol)).toEqual(whereTaken);
    expect(await mailOf(alice)).toBe(1);
  });

  it('who is blocked is answered like any stranger, and one who was let in like any who was', async () => {
    const rules = { policy: 'requests', allowed: letIn(carol) } as const;
    await rule(alice, { ...rules, blocked: [accountOf(bob), accountOf(carol)] });
    const [ofBob, ofCarol] = [await world.client(bob), await world.client(carol)];
    expect(kinds(await say(ofBob, 1))).toEqual(['accepted']);
    expect(await say(ofBob, 2)).toEqual(REFUSED);
    for (let n = 1; n <= 3; n++) expect(kinds(await say(ofCarol, n))).toEqual(['accepted']);
    expect(await mailOf(alice)).toBe(0);
  });

  it('J01: fifty of them a day are heard by one account, the others are told a time', async () => {
    await rule(alice, { policy: 'requests' });
    const most = LIMITS.contactRequestsPerRecipient.value;
    for (let n = 0; n < most; n++) {
      const client = await world.client(await world.device(`s${n}`));
      expect(kinds(await say(client, n))).toEqual(['accepted']);
      await client.end();
    }
    const told = await say(await world.client(bob), 1);
    expect(told).toMatchObject([{ kind: 'rejected', code: 'too-many-requests', retryable: true }]);
    expect((told[0] as { retryAfterMs: number }).retryAfterMs).toBe(DAY_MS);
    expect(await mailOf(alice)).toBe(most);
    expect(await world.node.metrics.text()).toContain('limiter="relay-contact-requests"} 1');
    world.time.ms += DAY_MS;
    expect(kinds(await say(await world.client(carol), 1))).toEqual(['accepted']);
  });

  it('with a message for several is told who does not get it', async () => {
    await rule(alice, { policy: 'requests' });
    const ofBob = await world.client(bob);
    await say(ofBob, 1);
    ofBob.message(messageId(2), [alice, carol], 'to both', true);
    expect(await ofBob.next('left-out')).toMatchObject({ id: messageId(2), code: 'contact-needed', devices: [alice] });
    await ofBob.next('accepted');
    expect(await Promise.all([alice, carol].map(mailOf))).toEqual([1, 1]);
  });

  it('J05: does not reach a device with what is not stored', async () => {
    await rule(alice, { policy: 'requests', allowed: letIn(carol) });
    const [ofAlice, ofBob, ofCarol] = [await world.client(alice), await world.client(bob), await world.client(carol)];
    for (const client of [ofBob, ofCarol]) {
      const parts = [{ device: alice, content: new Uint8Array(1) }];
      client.send({ kind: 'ephemeral', body: new TextEncoder().encode('typing'), parts });
      expect(await answers(client)).toEqual([]);
    }
    expect(await ofAlice.next('ephemeral-deliver')).toMatchObject({ sender: carol });
    expect(await answers(ofAlice)).toEqual([]);
  });

  it('no device of the account itself is one', async () => {
    const second = await world.device('alice', 2);
    await rule(alice, { policy: 'contacts' });
    const ofAlice = await world.client(alice);
    for (let n = 1; n <= 3; n++) {
      ofAlice.message(messageId(n), [second], 'to myself', true);
      await ofAlice.next('accepted');
    }
    expect(await mailOf(second)).toBe(3);
  });
});

it('the devices that a change names hear of the new list', async () => {
  const second = await world.device('alice', 2);
  const clients = [await world.client(alice), await world.client(second)];
  const address = accountOf(alice);
  const changed = encodeNodeMessage({ kind: 'contacts-changed', address, version: 7, devices: [second] });
  await openMemoryBus(world.hub).publish(NODES_CHANNEL, changed);
  expect(await clients[1]!.next('contacts-published')).toMatchObject({ version: 7 });
  expect((await answers(clients[0]!)).map(({ kind }) => kind)).toEqual([]);
});

describe.each(sharedCounters('two nodes'))('two nodes, counting on $name', ({ openerOf }) => {
  /** Another run's windows may be open still. */
  const run = `n${process.pid}x${Date.now()}`;
  let counters: Counters[];
  let tests = 0;
  const nameOf = (who: string) => `${run}x${tests}${who}`;

  beforeEach(async () => {
    await world.close();
    const openCounters = openerOf();
    counters = [await openCounters(), await openCounters()];
    await open({ nodes: 2, counters });
    tests++;
    [alice, bob] = [await world.device(nameOf('alice')), await world.device(nameOf('bob'))];
    await rule(alice, { policy: 'requests' });
  });
  afterEach(async () => {
    for (const one of counters) await one.close();
  });

  const answerTo = async (client: TestClient, n: number) => {
    client.message(messageId(n), [alice], 'it is me');
    while (!client.frames.some(({ kind }) => kind === 'accepted' || kind === 'rejected')) await client.settled();
    const [frame] = await answers(client);
    return frame?.kind === 'rejected' ? frame.code : frame?.kind;
  };

  it('T225: hear one request a day of a stranger, and know its repeat', async () => {
    const second = await world.client(await world.device(nameOf('bob'), 2), 0);
    const first = await world.client(bob, 0);
    expect(await answerTo(first, 1)).toBe('accepted');
    expect(await answerTo(first, 2)).toBe('contact-needed');
    await first.end();
    const elsewhere = await world.client(bob, 1);
    expect(await answerTo(elsewhere, 3)).toBe('contact-needed');
    expect(await answerTo(elsewhere, 1)).toBe('accepted');
    // Ids are chosen by each device: this is another message.
    expect(await answerTo(second, 1)).toBe('contact-needed');
    expect(await mailOf(alice)).toBe(1);
  });

  it('T225: give an account no second budget of requests', async () => {
    const most = LIMITS.contactRequestsPerRecipient.value;
    for (let n = 0; n < most; n++) {
      const client = await world.client(await world.device(nameOf(`s${n}`)), n % 2);
      expect(await answerTo(client, n)).toBe('accepted');
      await client.end();
    }
    for (const at of [0, 1]) {
      const late = await world.client(await world.device(nameOf(`late${at}`)), at);
      expect(await answerTo(late, 1)).toBe('too-many-requests');
    }
    expect(await mailOf(alice)).toBe(most);
  });
});
