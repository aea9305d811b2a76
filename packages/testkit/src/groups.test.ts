/** Groups over real servers: their life, and what a server that lies about them is found out by (docs/spec/groups.md sections 4 and 6). */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { GroupChange, IncomingEvent } from '@sealwire/client/events';
import { type AccountAddress, nameOf } from '@sealwire/wire/ids';
import { Company, say } from './company.ts';
import { afterCrash, type Person } from './person.ts';

jest.setTimeout(30_000);

/** One identity a device: keys of several are no matter of groups. */

const company = new Company();
let alice: Person;
let bob: Person;
let carol: Person;

beforeEach(async () => {
  [alice, bob, carol] = (await Promise.all(['alice', 'bob', 'carol'].map((name) => company.person(name)))) as [
    Person,
    Person,
    Person,
  ];
});

/** A group of alice, with the others in it. Answers its address. */
async function groupOf(...others: Person[]): Promise<AccountAddress> {
  const { address } = await alice.client.groups.create(
    'trio',
    others.map(({ client }) => client.address),
  );
  for (const other of others) {
    await shownUntil(other, 'invited');
    await other.client.groups.join(address);
    await other.client.outbox.emptied();
  }
  // All of them know that all are in: alice first, who may be on another node.
  while (membersOf(alice, address).length <= others.length) await turn();
  await say(alice, address, 'welcome');
  for (const other of others) await shownUntil(other, 'welcome');
  return address;
}

/** Lines of a transcript, up to the one that ends with `last`. */
async function shownUntil(of: Person, last: string): Promise<string[]> {
  const lines: string[] = [];
  const enough = new AbortController();
  for await (const event of of.client.messages({ signal: enough.signal })) {
    const line = lineOf(event);
    if (line === undefined) continue;
    lines.push(line);
    if (line.endsWith(last)) enough.abort();
  }
  return lines;
}

function lineOf(event: IncomingEvent): string | undefined {
  switch (event.kind) {
    case 'caught-up':
    case 'devices-changed':
    case 'delivered':
      return undefined;
    case 'message':
      return `${nameOf(event.from)}: ${event.text}`;
    case 'message-edited':
      return `${nameOf(event.from)} edits: ${event.text}`;
    case 'message-deleted':
      return `${nameOf(event.from)} deletes`;
    case 'reaction':
      return `${nameOf(event.from)} reacts ${event.emoji}`;
    case 'group-changed':
      return `${nameOf(event.by)} ${changeText(event.change)}`;
    case 'group-invited':
      return `${nameOf(event.by)} invites to ${event.subject}: invited`;
    case 'group-refused':
      return `refused ${event.part} of ${nameOf(event.from)}: ${event.code}`;
    case 'group-fork':
      return `fork of ${nameOf(event.by)}`;
    default:
      return event.kind;
  }
}

function changeText(change: GroupChange): string {
  const whom = 'members' in change ? ` ${change.members.map(nameOf).join(' ')}` : '';
  return `${change.kind}${whom}${'subject' in change ? ` ${change.subject}` : ''}`;
}

const membersOf = ({ client }: Person, group: string) =>
  client.groups
    .info(group)
    .members.map(({ address }) => nameOf(address))
    .toSorted();

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('members may write in it to who wants nothing of strangers, whether they were in before the policy or came after it', async () => {
  const trio = await groupOf(bob);
  await bob.client.contacts.setPolicy('contacts');
  await bob.client.contacts.synced();
  await say(alice, trio, 'as before');
  await shownUntil(bob, 'as before');
  await alice.client.groups.invite(trio, [carol.client.address]);
  await shownUntil(carol, 'invited');
  await carol.client.groups.join(trio);
  await carol.client.outbox.emptied();
  await shownUntil(bob, 'joined');
  await bob.client.contacts.synced();
  await say(carol, trio, 'new here');
  await shownUntil(bob, 'new here');
});

describe('the life of a group', () => {
  it('is the same on all devices of an account, and one that comes later catches up', async () => {
    const desk = await company.anotherDevice(bob);
    const address = await groupOf(bob, carol);
    await say(bob, address, 'from my phone');
    expect((await shownUntil(desk, 'from my phone')).at(-1)).toBe('bob: from my phone');
    expect(membersOf(desk, address)).toEqual(['alice', 'bob', 'carol']);

    const tablet = await company.anotherDevice(bob);
    await say(alice, address, 'anybody new?');
    expect((await shownUntil(tablet, 'anybody new?')).at(-1)).toBe('alice: anybody new?');
    await say(tablet, address, 'me');
    expect((await shownUntil(carol, 'me')).at(-1)).toBe('bob: me');
  });

  it('goes on over crashes: what was decided is told, once', async () => {
    const address = await groupOf(bob, carol);
    alice.network.outgoing = (frame) => (frame.kind === 'send' ? undefined : frame);
    await alice.client.groups.remove(address, 'carol');
    await alice.client.send(address, 'only you');
    const again = await company.online(await afterCrash(alice));
    await again.client.outbox.emptied();
    expect(await shownUntil(bob, 'only you')).toEqual(['alice removed carol', 'alice: only you']);
    expect(await shownUntil(carol, 'removed carol')).toEqual(['alice removed carol']);
    const devices = again.network
      .framesSent('send')
      .at(-1)!
      .parts.map(({ device }) => device);
    expect(devices).toEqual([bob.client.device]);
  });

  it('a member whose account was deleted is left out and told of; the others get what is written', async () => {
    const address = await groupOf(bob, carol);
    await carol.client.account.delete();
    await say(alice, address, 'without carol');
    expect((await shownUntil(bob, 'without carol')).at(-1)).toBe('alice: without carol');
  });

  it('an unsafe device of a member stops the message by its name', async () => {
    const address = await groupOf(bob, carol);
    await alice.client.trust.set(carol.client.device, 'unsafe');
    await expect(alice.client.send(address, 'no')).rejects.toMatchObject({
      code: 'unsafe-device',
      message: expect.stringContaining(carol.client.device),
    });
  });
});

describe('messages about messages', () => {
  it('answer, name, react, edit and delete; only the author changes a message', async () => {
    const address = await groupOf(bob, carol);
    const body = (text: string) => ({ type: 'text/plain', body: new TextEncoder().encode(text) });
    const [question] = await say(alice, address, 'who is there?');
    await shownUntil(bob, 'who is there?');
    const reply = { id: question!, sender: alice.client.address };
    await bob.client.send(address, { ...body('me, and carol'), reply, mentions: [carol.client.address], lifetime: 30 });
    await bob.client.send(address, { ...body('👍'), reactionTo: question! });
    await (await bob.client.send(address, { ...body('nobody'), edits: question! })).accepted;
    await (await alice.client.send(address, { ...body('who is here?'), edits: question! })).accepted;
    await (await alice.client.send(address, { ...body(''), deletes: question! })).accepted;
    const events: IncomingEvent[] = [];
    const enough = new AbortController();
    for await (const event of carol.client.messages({ signal: enough.signal })) {
      events.push(event);
      if (event.kind === 'message-deleted') enough.abort();
    }
    const about = { conversation: address, id: question };
    expect(events.filter(({ kind }) => !['delivered', 'caught-up', 'group-changed'].includes(kind))).toMatchObject([
      { kind: 'message', text: 'who is there?' },
      { kind: 'message', text: 'me, and carol', reply, mentions: [carol.client.address], lifetime: 30 },
      { kind: 'reaction', ...about, emoji: '👍', from: bob.client.address },
      { kind: 'change-refused', ...about, from: bob.client.address },
      { kind: 'message-edited', ...about, text: 'who is here?', from: alice.client.address },
      { kind: 'message-deleted', ...about, from: alice.client.address },
    ]);
  });

  it('live as long as the conversation says, in a group and in a pair', async () => {
    const address = await groupOf(bob);
    await alice.client.groups.setTimer(address, 3_600);
    await alice.client.timers.set('bob', 60);
    await say(alice, address, 'an hour');
    await say(alice, 'bob', 'a minute');
    const lifetimes: Record<string, number | undefined> = {};
    const enough = new AbortController();
    for await (const event of bob.client.messages({ signal: enough.signal })) {
      if (event.kind === 'message') lifetimes[event.text!] = event.lifetime;
      if (Object.keys(lifetimes).length === 2) enough.abort();
    }
    expect(lifetimes).toEqual({ 'an hour': 3_600, 'a minute': 60 });
  });
});

describe('a server that lies', () => {
  it('T161: that hides a change is caught out by the next message, whoever writes it: it waits until the change is here', async () => {
    const address = await groupOf(bob, carol);
    // Nothing of alice's reaches bob while she changes more than one message carries.
    bob.network.incoming = (frame) =>
      frame.kind === 'deliver' && frame.sender === alice.client.device ? undefined : frame;
    for (let n = 0; n < 40; n++) await alice.client.groups.rename(address, `name ${n}`);
    await alice.client.outbox.emptied();
    await shownUntil(carol, 'renamed name 39');
    await say(carol, address, 'nice name');
    const lines = await shownUntil(bob, 'nice name');
    expect(lines.filter((line) => line.startsWith('alice renamed'))).toHaveLength(40);
    expect(bob.client.groups.info(address).subject).toBe('name 39');
  });

  it('T162: and shows two people different acts of one member is caught out by the first message between them', async () => {
    const address = await groupOf(bob, carol);
    const twin = await company.anotherDevice(alice);
    await say(carol, address, 'for the twin');
    await shownUntil(twin, 'for the twin');
    await shownUntil(bob, 'for the twin');
    // What one device of alice does reaches bob alone, what the other does carol alone, and neither hears of the other.
    const without = (of: Person, sender: Person) => {
      of.network.incoming = (frame) =>
        frame.kind === 'deliver' && frame.sender === sender.client.device ? undefined : frame;
    };
    without(carol, alice);
    without(bob, twin);
    without(twin, alice);
    without(alice, twin);
    await alice.client.groups.rename(address, 'for bob');
    await twin.client.groups.rename(address, 'for carol');
    await shownUntil(bob, 'for bob');
    await shownUntil(carol, 'for carol');
    await say(bob, address, 'a nice name');
    expect(await shownUntil(carol, 'a nice name')).toContain('fork of alice');
    await say(carol, address, 'indeed');
    expect(await shownUntil(bob, 'indeed')).toContain('fork of alice');
    expect(bob.client.groups.info(address).subject).toBe(carol.client.groups.info(address).subject);
  });
});
