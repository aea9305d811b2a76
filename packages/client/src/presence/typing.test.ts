/** Who is told that somebody types, and who believes it: docs/spec/presence.md section 4. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Ephemeral } from '@sealwire/wire/frames';
import { groupAddressOf } from '@sealwire/wire/group-event';
import { writeChain } from '../messages/chain/outgoing-records.ts';
import { ALICE, BOB, CAROL, deviceOf } from '../testing/chain-world.ts';
import { FakeTime } from '../testing/fake-time.ts';
import { TypingDevice } from '../testing/typing-device.ts';
import { forgetTypingKeys } from './typing-keys.ts';

let time: FakeTime;

let alice: TypingDevice;
let bob: TypingDevice;

/** All that alice has sent reaches bob. */
function deliver(): void {
  for (const frame of alice.sent.splice(0)) bob.gets(frame, alice);
}

beforeEach(async () => {
  time = new FakeTime();
  alice = await new TypingDevice(deviceOf('alice', 1), time).open();
  bob = await new TypingDevice(deviceOf('bob', 1), time).open();
});

async function acquainted(): Promise<void> {
  await alice.switchedOn();
  await bob.switchedOn();
  await alice.writes(bob);
  await bob.writes(alice);
}

describe('two people who have switched it on and have written to each other', () => {
  beforeEach(acquainted);

  it('see that the other one types, until it stops', async () => {
    alice.typing.say(BOB, true);
    deliver();
    await time.pass(1_000);
    alice.typing.say(BOB, false);
    deliver();
    expect(bob.events).toEqual([`${ALICE} true`, `${ALICE} false`]);
  });

  it('T178: it is said once in five seconds, whatever keys are pressed', async () => {
    for (let ms = 0; ms < 20_000; ms += 100) {
      alice.typing.say(BOB, true);
      await time.pass(100);
    }
    expect(alice.sent).toHaveLength(4);
    alice.sent = [];
    for (const typing of [true, false, false, true, true]) alice.typing.say(BOB, typing);
    expect(alice.sent).toHaveLength(2);
  });

  it('it is over ten seconds after the last word, with a message, and with the link', async () => {
    alice.typing.say(BOB, true);
    deliver();
    await time.pass(9_000);
    alice.typing.say(BOB, true);
    deliver();
    await time.pass(9_999);
    expect(bob.events).toEqual([`${ALICE} true`]);
    await time.pass(1);
    expect(bob.events.splice(0)).toEqual([`${ALICE} true`, `${ALICE} false`]);

    alice.typing.say(BOB, true);
    deliver();
    await alice.writes(bob);
    alice.typing.say(BOB, false);
    expect(alice.sent).toEqual([]);
    expect(bob.events.splice(0)).toEqual([`${ALICE} true`, `${ALICE} false`]);

    await time.pass(5_000);
    alice.typing.say(BOB, true);
    deliver();
    bob.typing.offline();
    expect(bob.events).toEqual([`${ALICE} true`, `${ALICE} false`]);
    expect(time.pending).toBe(0);
  });

  it('nobody is told without a link, and the next link begins anew', () => {
    alice.isOnline = false;
    alice.typing.say(BOB, true);
    alice.isOnline = true;
    alice.typing.say(BOB, true);
    alice.typing.offline();
    alice.typing.say(BOB, true);
    expect(alice.sent).toHaveLength(2);
  });

  it('T177: the relay sees neither whether it begins or ends, nor can it make, change, keep or turn one', async () => {
    alice.typing.say(BOB, true);
    const [begin] = alice.sent.splice(0) as [Ephemeral];
    await time.pass(1_000);
    alice.typing.say(BOB, false);
    const [end] = alice.sent.splice(0) as [Ephemeral];
    expect(end.body).toHaveLength(begin.body.length);

    bob.gets(end, alice);
    // An older word.
    bob.gets(begin, alice);
    expect(bob.events).toEqual([]);
    await time.pass(5_000);
    alice.typing.say(BOB, true);
    const [next] = alice.sent.splice(0) as [Ephemeral];
    for (let at = 0; at < next.body.length; at++) {
      const body = next.body.slice();
      body[at]! ^= 1;
      bob.gets({ ...next, body }, alice);
    }
    for (const length of [0, 12, 40]) bob.gets({ ...next, body: next.body.slice(0, length) }, alice);
    bob.gets({ ...next, parts: [{ device: bob.id, content: new Uint8Array(1) }] }, alice);
    // As if another device of hers had said it, or she to herself.
    bob.gets(next, await new TypingDevice(deviceOf('alice', 2), time).open());
    alice.gets({ ...next, parts: [{ device: alice.id, content: new Uint8Array(0) }] }, bob);
    expect([bob.events, alice.events]).toEqual([[], []]);
    // Kept back for more than a minute.
    const late = await reopened(bob);
    await time.pass(60_001);
    late.gets(next, alice);
    expect(late.events).toEqual([]);
  });

  it('T177: what was shown once is not shown again', () => {
    alice.typing.say(BOB, true);
    const [frame] = alice.sent as [Ephemeral];
    bob.gets(frame, alice);
    bob.typing.offline();
    bob.gets(frame, alice);
    expect(bob.events).toEqual([`${ALICE} true`, `${ALICE} false`]);
  });

  it('a device that leaves its account is told nothing, and believed nothing', async () => {
    alice.typing.say(BOB, true);
    const [frame] = alice.sent.splice(0) as [Ephemeral];
    bob.gone = [alice.id];
    bob.gets(frame, alice);
    expect(bob.events).toEqual([]);
    await time.pass(5_000);
    alice.gone = [bob.id];
    alice.typing.say(BOB, true);
    alice.gone = [];
    await alice.ledger.commit((transaction) => forgetTypingKeys(transaction, bob.id));
    alice.typing.say(BOB, true);
    expect(alice.sent).toEqual([]);
  });

  it('a key is taken by the next message, kept over a restart, and gone with the first one without', async () => {
    alice = await reopened(alice);
    bob = await reopened(bob);
    alice.typing.say(BOB, true);
    deliver();
    expect(bob.events.splice(0)).toEqual([`${ALICE} true`]);
    await time.pass(20_000);
    bob.events = [];
    await bob.switchedOn(false);
    await bob.writes(alice);
    // An older message that comes late.
    await alice.hears(bob, { sentAt: 1, typingKey: new Uint8Array(32) });
    alice.typing.say(BOB, true);
    expect(alice.sent).toEqual([]);
    await bob.switchedOn();
    await time.pass(1);
    await bob.writes(alice);
    alice.typing.say(BOB, true);
    expect(alice.sent).toHaveLength(1);
  });

  it('keys differ by conversation, and are made anew when it is switched on again', async () => {
    const before = alice.typing.keyFor(BOB);
    expect(alice.typing.keyFor(CAROL)).not.toEqual(before);
    expect(alice.typing.keyFor(ALICE)).toBeUndefined();
    await alice.switchedOn();
    expect(alice.typing.keyFor(BOB)).toEqual(before);
    await alice.switchedOn(false);
    expect(alice.typing.keyFor(BOB)).toBeUndefined();
    await alice.switchedOn();
    expect(alice.typing.keyFor(BOB)).not.toEqual(before);
  });

  it('J05 T176: a blocked one is told nothing, and nothing of it is shown', () => {
    alice.blocked = [BOB];
    alice.typing.say(BOB, true);
    expect(alice.sent).toEqual([]);
    alice.blocked = [];
    bob.blocked = [ALICE];
    alice.typing.say(BOB, true);
    expect(alice.sent).toHaveLength(1);
    deliver();
    expect(bob.events).toEqual([]);
  });
});

describe('in a group', () => {
  const GROUP = groupAddressOf(new Uint8Array(32));
  let carol: TypingDevice;

  beforeEach(async () => {
    await acquainted();
    carol = await new TypingDevice(deviceOf('carol', 1), time).open();
    await carol.switchedOn();
    for (const device of [alice, bob, carol]) device.members = [ALICE, BOB, CAROL];
    for (const from of [alice, bob, carol])
      for (const to of [alice, bob, carol]) if (from !== to) await from.writes(to, GROUP);
  });

  function deliverAll(): void {
    for (const frame of alice.sent.splice(0)) for (const device of [bob, carol]) device.gets(frame, alice);
  }

  it('all members see it, in that conversation and in no other', async () => {
    alice.typing.say(GROUP, true);
    deliverAll();
    alice.typing.say(BOB, true);
    deliverAll();
    expect(bob.events.splice(0)).toEqual([`${ALICE} true in the group`, `${ALICE} true`]);
    expect(carol.events).toEqual([`${ALICE} true in the group`]);
    await alice.writes(bob);
    expect(bob.events.splice(0)).toEqual([`${ALICE} false`]);
    await time.pass(10_000);
    expect(bob.events).toEqual([`${ALICE} false in the group`]);
  });

  it('T176: who is no member tells nobody, and is believed by nobody; a blocked member is told nothing', () => {
    bob.members = [BOB, CAROL];
    carol.members = [];
    alice.typing.say(GROUP, true);
    deliverAll();
    expect([bob.events, carol.events]).toEqual([[], []]);
    carol.typing.say(GROUP, true);
    expect(carol.sent).toEqual([]);
    bob.blocked = [CAROL];
    bob.members = [ALICE, BOB, CAROL];
    bob.typing.say(GROUP, true);
    expect(bob.sent.flatMap(({ parts }) => parts.map(({ device }) => device))).toEqual([alice.id]);
  });
});

describe('T176: nobody is told, and nobody shown', () => {
  it.each([
    ['where one has not switched it on', [true, false]],
    ['where the other one has not', [false, true]],
  ] as const)('%s', async (_, [mine, theirs]) => {
    await alice.switchedOn(mine);
    await bob.switchedOn(theirs);
    await alice.writes(bob);
    await bob.writes(alice);
    alice.typing.say(BOB, true);
    expect(alice.sent).toEqual([]);
  });

  it('where this side has not written, or the other one', async () => {
    await alice.switchedOn();
    await bob.switchedOn();
    await bob.writes(alice);
    alice.typing.say(BOB, true);
    bob.typing.say(ALICE, true);
    expect([alice.sent, bob.sent]).toEqual([[], []]);
    // A stranger that has a key of ours, as by an earlier list of devices, and does not keep to this.
    await alice.writes(bob);
    alice.typing.say(BOB, true);
    const [frame] = alice.sent as [Ephemeral];
    await bob.ledger.commit((transaction) => writeChain(transaction, ALICE, { next: 1, introduced: [] }));
    bob.gets(frame, alice);
    expect(bob.events).toEqual([]);
  });

  it('where it was switched off meanwhile', async () => {
    await acquainted();
    alice.typing.say(BOB, true);
    await bob.switchedOn(false);
    deliver();
    expect(bob.events).toEqual([]);
  });
});

async function reopened(device: TypingDevice): Promise<TypingDevice> {
  await device.open();
  return device;
}
