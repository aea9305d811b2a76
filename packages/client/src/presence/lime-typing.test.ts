/** Typing of and towards a Linphone: docs/spec/presence.md section 4. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { readChatMessage } from '@sealwire/cpim/chat-message';
import { COMPOSING_TYPE, readComposing, writeComposing } from '@sealwire/cpim/composing';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { pinPeer, readPeer, writePeer } from '../accounts/peer-record.ts';
import type { ClientError } from '../errors.ts';
import type { IncomingMessage } from '../events.ts';
import { writeChain } from '../messages/chain/outgoing-records.ts';
import type { DirectMessage } from '../messages/direct-sender.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { FakeTime, settle } from '../testing/fake-time.ts';
import { Account } from '../testing/verification-world.ts';
import { LimeTyping } from './lime-typing.ts';
import { setPresenceSettings } from './presence-records.ts';
import { Typing } from './typing.ts';

const crypto = nodeCrypto();
const alice = new Account('alice');
const bob = new Account('bob');
const PHONE = bob.device(9);
const SDK_DEVICE = bob.device(1);
for (const account of [alice, bob]) account.publish([1, 9]);

let time: FakeTime;
let ledger: Ledger;
let typing: Typing;
let isOnline: boolean;
let blocked: boolean;
let sent: DirectMessage[];
let events: string[];
let failure: Error | undefined;
let broken: ClientError[];

const switchTo = (on: boolean) =>
  ledger.commit((transaction) => setPresenceSettings(transaction, { online: false, typing: on }, seededRandom(1)));

beforeEach(async () => {
  time = new FakeTime();
  ledger = await Ledger.open(new MemoryStorage());
  [isOnline, blocked, sent, events, failure, broken] = [true, false, [], [], undefined, []];
  const me = alice.device(1);
  const { address, accountKey, manifest: bytes, signature } = bob.newest;
  await ledger.commit((transaction) => {
    writePeer(transaction, pinPeer(crypto, address, accountKey, { bytes, signature }, 0));
    writeChain(transaction, bob.address, { next: 2, introduced: [] });
  });
  const direct = async (message: DirectMessage) => {
    sent.push(message);
    if (failure) throw failure;
  };
  const common = { ledger, me, now: time.now, timers: time };
  const lime = new LimeTyping({ ...common, direct, broken: (reason) => broken.push(reason) });
  typing = new Typing({
    ...common,
    ...{ crypto, lime, random: seededRandom(2), others: (conversation) => [conversation] },
    book: { find: (account) => readPeer(ledger, account) },
    isBlocked: () => blocked,
    transmit: () => (isOnline ? () => {} : undefined),
  });
  typing.onTyping((event) => events.push(`${event.device === PHONE ? 'phone' : event.device} ${event.typing}`));
  await switchTo(true);
});

function hears(word: Parameters<typeof writeComposing>[0] | string, more: Partial<IncomingMessage> = {}): void {
  const isText = typeof word === 'string';
  const body = isText ? new TextEncoder().encode(word) : writeComposing(word);
  const said = { type: isText ? 'text/plain' : COMPOSING_TYPE, body, sentAt: time.now(), acceptedAt: time.now() };
  const about = { kind: 'message', id: 'x', from: bob.address, device: PHONE, conversation: bob.address } as const;
  typing.foreign({ ...about, trust: 'untrusted', ...said, ...more });
}

/** What was sent, each as its reader has it. */
async function told() {
  await settle();
  return sent.splice(0).map(({ content }) => readComposing(readChatMessage(content).body));
}

describe('what a Linphone says', () => {
  it('is shown until it says otherwise, writes, or its time is over; an unending one is over after two minutes', async () => {
    hears({ typing: true, refresh: 60 });
    hears({ typing: true, refresh: 60 });
    hears({ typing: false });
    hears({ typing: true });
    hears('hello');
    hears({ typing: true, refresh: 30 });
    await time.pass(29_999);
    expect(events.splice(0)).toEqual(['phone true', 'phone false', 'phone true', 'phone false', 'phone true']);
    await time.pass(1);
    expect(events.splice(0)).toEqual(['phone false']);
    hears({ typing: true, refresh: 999_999_999 });
    await time.pass(120_000);
    expect(events).toEqual(['phone true', 'phone false']);
  });

  it('T229: counts only while it is switched on here, of who was written to, is not blocked, and says it now', async () => {
    const word = { typing: true };
    const wrote = (next: number) =>
      ledger.commit((transaction) => writeChain(transaction, bob.address, { next, introduced: [] }));
    await wrote(1);
    hears(word);
    await wrote(2);
    await switchTo(false);
    hears(word);
    await switchTo(true);
    blocked = true;
    hears(word);
    blocked = false;
    hears(word, { acceptedAt: time.now() - 60_001 });
    hears(word, { device: SDK_DEVICE });
    hears(word, { from: alice.address, conversation: bob.address });
    hears(word, { body: new TextEncoder().encode('<isComposing/>') });
    expect(events).toEqual([]);
    hears(word);
    expect(events).toEqual(['phone true']);
  });
});

describe('what a Linphone is told', () => {
  it('goes to that device alone, as RFC 3994 in CPIM, and is stored nowhere', async () => {
    hears({ typing: false });
    typing.say(bob.address, true);
    await settle();
    expect(sent).toMatchObject([{ to: bob.address, devices: [PHONE], shown: true, fleeting: true }]);
    const { from, to, type, body, id, requests } = readChatMessage(sent[0]!.content);
    expect({ from, to, type, id, requests }).toEqual({
      ...{ from: alice.device(1), to: bob.address, type: COMPOSING_TYPE },
      ...{ id: undefined, requests: undefined },
    });
    expect(readComposing(body)).toEqual({ typing: true, refresh: 90 });
  });

  it('is said again after a minute, and taken back once: by the user, or when no key was pressed for 15 seconds', async () => {
    hears({ typing: false });
    for (let ms = 0; ms < 70_000; ms += 1_000) {
      typing.say(bob.address, true);
      await time.pass(1_000);
    }
    expect(await told()).toEqual([
      { typing: true, refresh: 90 },
      { typing: true, refresh: 90 },
    ]);
    await time.pass(15_000);
    typing.say(bob.address, false);
    expect(await told()).toEqual([{ typing: false }]);
    // A message says it as well.
    typing.say(bob.address, true);
    typing.wrote(bob.address);
    await time.pass(15_000);
    typing.say(bob.address, false);
    expect(await told()).toEqual([{ typing: true, refresh: 90 }]);
    // Keys that are pressed and taken back.
    for (let n = 0; n < 20; n++) for (const on of [true, false]) typing.say(bob.address, on);
    expect(await told()).toEqual([{ typing: true, refresh: 90 }, { typing: false }]);
  });

  it('T229: is nothing where it has told nothing of its own user for ten minutes, or typing is off here', async () => {
    typing.say(bob.address, true);
    expect(await told()).toEqual([]);
    hears({ typing: false });
    await switchTo(false);
    typing.say(bob.address, true);
    await switchTo(true);
    isOnline = false;
    typing.say(bob.address, true);
    isOnline = true;
    blocked = true;
    typing.say(bob.address, true);
    blocked = false;
    await time.pass(600_000);
    typing.say(bob.address, true);
    expect(await told()).toEqual([]);
    hears({ typing: false });
    typing.say(bob.address, true);
    expect(await told()).toHaveLength(1);
    typing.offline();
    await time.pass(15_000);
    expect(await told()).toEqual([]);
  });

  it('T229: is two hundred words between two messages at most, which the next one has to skip where they are lost', async () => {
    for (let n = 0; n < 300; n++) {
      hears({ typing: false });
      typing.say(bob.address, true);
      typing.say(bob.address, false);
      await time.pass(5_000);
    }
    expect(await told()).toHaveLength(200);
    typing.wrote(bob.address);
    typing.say(bob.address, true);
    expect(await told()).toHaveLength(1);
  });

  it('that may not go there is not said, and no later word waits for it', async () => {
    hears({ typing: false });
    failure = new Error('no session');
    typing.say(bob.address, true);
    typing.say(bob.address, false);
    expect(await told()).toHaveLength(2);
    expect(broken).toEqual([]);
  });
});
