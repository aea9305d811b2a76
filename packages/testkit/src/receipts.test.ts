/** Who is told that a message has arrived, or was displayed: docs/spec/messages.md section 7, over real servers. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IncomingMessage } from '@sealwire/client/events';
import { type ChatMessage, readChatMessage, writeChatMessage } from '@sealwire/cpim/chat-message';
import { readNotice, writeNotice } from '@sealwire/cpim/notice';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { Lime } from '@sealwire/lime/lime';
import { MemoryLimeStore } from '@sealwire/lime/testing/memory-store';
import { parseDeviceId } from '@sealwire/wire/ids';
import { Company, say } from './company.ts';
import { Bridge } from './linphone/bridge.ts';
import { acquaint, afterCrash, type Person, take, takeBacklog } from './person.ts';

jest.setTimeout(30_000);

const company = new Company();
let alice: Person;
let bob: Person;

beforeEach(async () => {
  alice = await company.person('alice');
  bob = await company.person('bob');
});

/** Reads `count` messages and says that they were displayed. */
async function read(of: Person, count: number): Promise<IncomingMessage[]> {
  const messages = await take(of.client, 'message', count);
  await of.client.receipts.displayed(messages.at(-1)!);
  return messages;
}

/** What is said of messages of `of` until one of kind `kind` has come. */
async function told(of: Person, kind: 'delivered' | 'displayed') {
  const [event] = await take(of.client, kind, 1);
  return event!;
}

describe('two people', () => {
  beforeEach(() => acquaint(alice, bob));

  it('are told what has arrived; what was displayed only where its reader lets it be told', async () => {
    const ids = await say(alice, 'bob', 'one', 'two');
    await read(bob, 2);
    const about = { to: bob.client.address, device: bob.client.device };
    // In how many receipts it is told is a matter of time.
    const delivered = new Set<string>();
    while (delivered.size < 2) for (const id of (await told(alice, 'delivered')).ids) delivered.add(id);
    expect([...delivered]).toEqual(ids);

    await bob.client.receipts.setLevel('on');
    await alice.client.receipts.setLevel('on', 'bob');
    const asked = await say(alice, 'bob', 'three', 'four');
    await read(bob, 2);
    expect(await told(alice, 'displayed')).toMatchObject({ ...about, ids: asked, at: expect.any(Number) });
    await say(bob, 'alice', 'the end');
    const rest = await take(alice.client, 'message', 1);
    expect(rest[0]!.text).toBe('the end');
  });

  it('of whom one wants no receipts send and show none; the other one hears by what is written back', async () => {
    await bob.client.receipts.setLevel('off', 'alice');
    await alice.client.receipts.setLevel('on');
    await say(alice, 'bob', 'one', 'two');
    await read(bob, 2);
    // On a new link all that is owed goes out at once.
    bob.network.cut();
    await bob.client.connect();
    await takeBacklog(bob.client);
    expect(bob.network.framesSent('send')).toEqual([]);
    await say(bob, 'alice', 'here');
    expect(await told(alice, 'delivered')).toMatchObject({ device: bob.client.device });
    // What bob sent has arrived, and he did not want to hear of it.
    bob.network.cut();
    expect((await takeBacklog(bob.client)).filter(({ kind }) => kind === 'delivered')).toEqual([]);
  });

  it('are told after a restart what was owed before it', async () => {
    for (const { client } of [alice, bob]) await client.receipts.setLevel('on');
    bob.network.outgoing = (frame) => (frame.kind === 'send' ? undefined : frame);
    const ids = await say(alice, 'bob', 'one');
    await read(bob, 1);
    await company.online(await afterCrash(bob));
    expect(await told(alice, 'displayed')).toMatchObject({ ids, device: bob.client.device });
  });
});

it('T140: a stranger is told nothing, whatever it asks, until it is written to', async () => {
  for (const { client } of [alice, bob]) await client.receipts.setLevel('on');
  const ids = await say(alice, 'bob', 'are you there?');
  await read(bob, 1);
  bob.network.cut();
  await bob.client.connect();
  await takeBacklog(bob.client);
  expect(bob.network.framesSent('send')).toEqual([]);
  await say(bob, 'alice', 'yes');
  expect(await told(alice, 'displayed')).toMatchObject({ ids, device: bob.client.device });
});

it('what one device has displayed its account’s other ones are told, and nobody else', async () => {
  const desk = await company.anotherDevice(bob);
  await bob.client.trust.peer('bob');
  await say(alice, 'bob', 'one', 'two');
  const messages = await read(bob, 2);
  const [event] = await take(desk.client, 'displayed-elsewhere', 1);
  expect(event).toEqual({
    kind: 'displayed-elsewhere',
    conversation: alice.client.address,
    by: bob.client.device,
    device: alice.client.device,
    upTo: messages[1]!.number,
  });
  const addressees = bob.network.framesSent('send').flatMap(({ parts }) => parts.map(({ device }) => device));
  expect(new Set(addressees)).toEqual(new Set([desk.client.device]));
});

describe('a LIME device of somebody else', () => {
  const SUITE = 'c25519';
  const phone = () => parseDeviceId(`${bob.client.address};gr=urn:uuid:phone`);
  let lime: Lime;
  let bridge: Bridge;

  beforeEach(async () => {
    lime = new Lime({ crypto: nodeCrypto(), store: new MemoryLimeStore(), random: systemRandom, now: Date.now });
    const { identityKey, signedPrekey, oneTimePrekeys } = lime.createDevice(phone(), SUITE);
    const terms = { maximum: 10, now: 7 };
    await company.constellation.store.waiting.register(
      phone(),
      SUITE,
      { identityKey, signedPrekey },
      oneTimePrekeys,
      terms,
    );
    await bob.client.devices.admit(phone(), [{ suite: SUITE, identityKey }]);
    lime.activateDevice(phone());
    const { password } = await bob.client.account.makeAppPassword('phone');
    bridge = await Bridge.connect({ origin: company.constellation.origin, device: phone(), user: 'bob', password });
    await alice.client.receipts.setLevel('on');
  });

  afterEach(() => bridge.end());

  /** What the phone reads next. */
  async function next(): Promise<ChatMessage> {
    const { from, letter } = await bridge.next();
    const { user, ...rest } = letter;
    return readChatMessage(lime.decrypt(phone(), { ...rest, sender: from, recipientUser: user }));
  }

  /** The phone writes to alice; bob's other device gets nothing that it could read. */
  async function write(message: Partial<ChatMessage>): Promise<void> {
    const { device, address } = alice.client;
    const plaintext = writeChatMessage({
      ...{ from: phone(), to: address, type: 'text/plain', body: new TextEncoder().encode('hi') },
      ...message,
    });
    const { recipients, cipherMessage } = lime.encrypt(phone(), {
      recipientUser: address,
      recipients: [device],
      plaintext,
    });
    const nothing = { device: bob.client.device, content: new Uint8Array(0) };
    const parts = [{ device, content: recipients[0]!.message! }, nothing];
    expect(await bridge.send(address, parts, cipherMessage)).toBe('accepted');
  }

  it('is asked, and its notices become events; what nobody asked about is shown to nobody', async () => {
    const [id] = await say(alice, 'bob', 'hello');
    expect(await next()).toMatchObject({ id, requests: ['positive-delivery', 'negative-delivery', 'display'] });
    const type = 'message/imdn+xml';
    const about = { messageId: id!, sentAt: 0 };
    await write({ type, body: writeNotice({ kind: 'display', status: 'displayed', ...about, messageId: 'forged' }) });
    await write({ type, body: writeNotice({ kind: 'delivery', status: 'delivered', ...about }) });
    await write({ type, body: writeNotice({ kind: 'display', status: 'displayed', ...about }) });
    await write({ id: 'last' });
    const events = [];
    for await (const event of alice.client.messages()) {
      if (event.kind !== 'caught-up' && 'device' in event && event.device === phone()) events.push(event);
      if (event.kind === 'message') break;
    }
    expect(events).toMatchObject([
      { kind: 'delivered', ids: [id] },
      { kind: 'displayed', ids: [id] },
      { kind: 'message', id: 'last' },
    ]);
  });

  it('gets the notices that it asks for, one for each message, after a restart too and behind what the user writes', async () => {
    await say(alice, 'bob', 'hello');
    await next();
    alice.network.outgoing = (frame) => (frame.kind === 'send' ? undefined : frame);
    const requests = ['positive-delivery', 'display'] as const;
    for (const id of ['a', 'b', 'c']) await write({ id, requests, sentAt: 1_000 });
    const [first] = await take(alice.client, 'message', 3);
    expect(first).toMatchObject({ id: 'a', requests, device: phone() });
    await alice.client.receipts.displayed(first!);
    const later = await afterCrash(alice);
    company.people.push(later);
    await later.client.send('bob', 'written meanwhile');
    await later.client.connect();
    expect(await next()).toMatchObject({ type: 'text/plain' });
    const notices = [];
    for (const _ of ['a', 'b', 'c']) notices.push(await next());
    expect(notices.map(({ body }) => readNotice(body))).toMatchObject([
      { kind: 'display', status: 'displayed', messageId: 'a', sentAt: 1_000 },
      { kind: 'delivery', status: 'delivered', messageId: 'b' },
      { kind: 'delivery', status: 'delivered', messageId: 'c' },
    ]);
    expect(notices.every((notice) => notice.type === 'message/imdn+xml' && !notice.requests)).toBe(true);
  });
});
