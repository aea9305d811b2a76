/** What is told of messages, to whom, and what of all that others say is shown (docs/spec/messages.md section 7). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { writeChatMessage } from '@sealwire/cpim/chat-message';
import { writeNotice } from '@sealwire/cpim/notice';
import { nodeCrypto } from '@sealwire/crypto/node';
import { decodeBase64url } from '@sealwire/wire/base64url';
import { deviceTag } from '@sealwire/wire/chain';
import { decodeContent } from '@sealwire/wire/envelope';
import { parseDeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { ALICE, BOB, CAROL, ME } from '../../testing/chain-world.ts';
import { CAROLS, DESK, LAPTOP, OWN_PHONE, PHONE, ReceiptWorld } from '../../testing/receipt-world.ts';
import { readSent } from '../chain/outgoing-records.ts';
import { plaintextOf } from '../plaintext.ts';
import { mayBeTold } from './acquaintance.ts';
import { AWAITED_DISPLAYS } from './awaited-displays.ts';
import { NOTICES_OF_DEVICE, WAITING_NOTICES } from './owed-notices.ts';
import { dispositionsIn, requestsAt } from './receipt-level.ts';

const HOUR_MS = 60 * 60_000;
const RUNS = { seed: 5438, numRuns: 200 };
let world: ReceiptWorld;

beforeEach(async () => {
  world = await ReceiptWorld.open();
});

describe('the level of a conversation', () => {
  it('is `delivered` until something else is said, of all or of one, and outlives the process', async () => {
    expect([world.client.level(), world.client.level(BOB)]).toEqual(['delivered', 'delivered']);
    await world.client.setLevel('on');
    await world.client.setLevel('off', BOB);
    await world.reopen();
    expect([world.client.level(), world.client.level(BOB), world.client.level(CAROL)]).toEqual(['on', 'off', 'on']);
    expect(world.client.conversations()).toEqual([BOB]);
    await expect(world.client.setLevel('loud' as 'on')).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('decides what a message asks for; a message that says it itself, and a notice, are left alone', () => {
    expect(dispositionsIn(requestsAt('off'))).toEqual([]);
    expect(dispositionsIn(requestsAt('delivered'))).toEqual(['positive-delivery', 'negative-delivery']);
    expect(dispositionsIn(requestsAt('on'))).toEqual(['positive-delivery', 'negative-delivery', 'display']);
    const asked = (type: string) => decodeContent(plaintextOf({ type, body: new Uint8Array(0) }, 'x', 1, 9)).requests;
    expect(['text/plain', 'message/cpim', 'message/imdn+xml'].map(asked)).toEqual([9, undefined, undefined]);
  });
});

describe('a stranger', () => {
  const told = () => mayBeTold(world.ledger, ALICE, BOB);

  it('T140: is told nothing until the user writes to it', async () => {
    await world.hear(DESK, 1);
    expect(told()).toBe(false);
    await world.write(BOB, [DESK]);
    expect(told()).toBe(true);
  });

  it('T140: … until another device of ours has written to it', async () => {
    await world.ledger.commit((transaction) => {
      const content = { type: 'text/plain', body: new Uint8Array(1), sentAt: 1, id: 'x' };
      const link = { number: 1, newcomers: [] };
      world.heard.follow(transaction, { sender: LAPTOP, recipientUser: BOB }, { ...content, link }, false);
    });
    expect(told()).toBe(true);
    expect(mayBeTold(world.ledger, ALICE, CAROL)).toBe(false);
  });

  it('T140: … until the user trusts a device of it; an unsafe one is no acquaintance', async () => {
    await world.trusts('unsafe', DESK, PHONE);
    expect(told()).toBe(false);
    await world.trusts('trusted', DESK, PHONE);
    expect(told()).toBe(true);
    await world.client.setLevel('off', BOB);
    expect(told()).toBe(false);
  });

  it('T140: with a LIME device is owed no notice', async () => {
    const requests = ['positive-delivery', 'display'] as const;
    await world.client.setLevel('on');
    expect(await world.take(PHONE, { requests })).toMatchObject({ owed: false, shown: true });
    await world.client.displayed({ id: 'x', device: PHONE, conversation: BOB, sentAt: 7, requests });
    expect(world.notices.waiting(BOB)).toEqual([]);
  });
});

describe('what was displayed', () => {
  const shown = (number: number, requests: readonly 'display'[] = ['display']) =>
    world.client.displayed({ id: 'x', device: DESK, conversation: BOB, sentAt: 1, number, requests });
  const theirs = () => world.heard.receipts(BOB).receipts.map(({ displayed }) => displayed);
  const ours = () => world.displays.receipts(BOB);

  beforeEach(async () => {
    for (const number of [1, 2, 3]) await world.hear(DESK, number);
  });

  it('is told to the sender who asked, where receipts are on, and to our other devices in any case', async () => {
    await shown(2);
    expect(theirs()).toEqual([0]);
    expect(ours()).toMatchObject({ receipts: [{ number: 3, displayed: 2 }], devices: [LAPTOP] });
    await world.client.setLevel('on');
    expect(theirs()).toEqual([0]);
    await shown(3, []);
    expect(theirs()).toEqual([0]);
    await shown(3);
    expect(theirs()).toEqual([3]);
    expect(ours().receipts).toMatchObject([{ displayed: 3 }]);
    await world.client.setLevel('delivered');
    expect(theirs()).toEqual([0]);
  });

  it('is owed after a crash, and until all of it was told', async () => {
    await world.client.setLevel('on');
    await shown(2);
    const before = world.heard.receipts(BOB).receipts;
    await shown(3);
    await world.reopen();
    expect([world.heard.owing(), world.displays.owing()]).toEqual([[BOB], [BOB]]);
    const tell = async (receipts: typeof before) =>
      (
        await world.ledger.commit((transaction) => {
          world.displays.told(transaction, BOB, receipts);
          return world.heard.told(transaction, BOB, receipts);
        })
      )();
    await tell(before);
    expect([world.heard.owing(), world.displays.owing()]).toEqual([[BOB], [BOB]]);
    await tell(world.heard.receipts(BOB).receipts);
    expect([world.heard.owing(), world.displays.owing()]).toEqual([[], []]);
    await shown(3);
    expect([world.heard.receipts(BOB).receipts, ours().receipts]).toEqual([[], []]);
  });

  it('is not forgotten when more arrives', async () => {
    await world.client.setLevel('on');
    await shown(2);
    await world.hear(DESK, 4);
    expect(world.heard.receipts(BOB).receipts).toMatchObject([{ number: 4, displayed: 2 }]);
  });

  it('is nothing that has not arrived, of our own, or said before', async () => {
    await world.client.setLevel('on');
    await shown(4);
    expect([theirs(), ours().receipts]).toEqual([[0], []]);
    await world.client.displayed({ id: 'x', device: LAPTOP, conversation: BOB, sentAt: 1, number: 1 });
    expect(ours().receipts).toEqual([]);
    await shown(3);
    await shown(1);
    expect(theirs()).toEqual([3]);
  });

  it('on another device of ours becomes an event, once, and is not told back', async () => {
    const [receipt] = world.heard.receipts(BOB).receipts;
    const content = {
      type: 'text/plain',
      body: new Uint8Array(0),
      sentAt: 1,
      receipts: [{ ...receipt!, displayed: 2 }],
    };
    const event = { kind: 'displayed-elsewhere', conversation: BOB, by: LAPTOP, device: DESK, upTo: 2 };
    expect((await world.take(LAPTOP, {}, content)).events).toEqual([event]);
    expect((await world.take(LAPTOP, {}, content)).events).toEqual([]);
    expect(world.displays.owing()).toEqual([]);
    // Nobody else speaks of what our devices have shown.
    const further = { ...content, receipts: [{ ...receipt!, displayed: 3 }] };
    expect((await world.take(DESK, {}, further)).events).toEqual([]);
  });
});

describe('notices of a LIME device', () => {
  it('become the events of the sender, each once: delivered, displayed, not delivered', async () => {
    const [a, b] = [await world.write(BOB, [PHONE, DESK], ['display']), await world.write(BOB, [PHONE], ['display'])];
    const about = { to: BOB, device: PHONE, at: 7 };
    const delivered = { kind: 'delivery', status: 'delivered' } as const;
    expect(await world.notice(PHONE, { ...delivered, messageId: a })).toMatchObject({
      events: [{ ...about, kind: 'delivered', ids: [a] }],
      shown: false,
      owed: false,
    });
    expect(world.written.unconfirmed(BOB)).toEqual([
      { id: a, devices: [DESK] },
      { id: b, devices: [PHONE] },
    ]);
    expect((await world.notice(PHONE, { messageId: a })).events).toEqual([{ ...about, kind: 'displayed', ids: [a] }]);
    for (const notice of [delivered, {}])
      expect((await world.notice(PHONE, { ...notice, messageId: a })).events).toEqual([]);
    expect((await world.notice(PHONE, { kind: 'delivery', status: 'error', messageId: b })).events).toEqual([
      { ...about, kind: 'not-delivered', ids: [b] },
    ]);
    expect(world.written.unconfirmed(BOB)).toEqual([{ id: a, devices: [DESK] }]);
  });

  it('T141: of messages never sent, of other conversations, of devices it was not for, or of no device that may: nothing', async () => {
    const toBob = await world.write(BOB, [DESK], ['display']);
    const toCarol = await world.write(CAROL, [CAROLS], ['display']);
    const unasked = await world.write(BOB, [PHONE]);
    for (const messageId of [toBob, toCarol, 'never-sent', '__proto__', unasked])
      expect(await world.notice(PHONE, { messageId })).toMatchObject({ events: [], shown: false });
    // A device that knows receipts, and one of nobody's, write no notices.
    for (const device of [DESK, CAROLS])
      expect(await world.notice(device, { messageId: toBob })).toMatchObject({ events: [], shown: false });
    expect((await world.notice(PHONE, { messageId: toBob }, CAROL)).events).toEqual([]);
    expect(world.written.unconfirmed(BOB).map(({ id }) => id)).toEqual([toBob]);
  });

  it('T141: that are no notice, or hold others, are shown to nobody and answered by nothing', async () => {
    const id = await world.write(BOB, [PHONE], ['display']);
    const inner = writeNotice({ kind: 'display', status: 'displayed', messageId: id, sentAt: 0 });
    const nested = writeChatMessage({ from: PHONE, to: ALICE, type: 'message/imdn+xml', body: inner });
    const type = 'message/imdn+xml';
    const requests = ['positive-delivery', 'display'] as const;
    for (const body of [new Uint8Array(0), nested, inner.slice(1), Uint8Array.from([...inner, ...inner])])
      expect(await world.take(PHONE, { type, body, requests })).toMatchObject({
        events: [],
        shown: false,
        owed: false,
      });
    expect(world.notices.waiting(BOB)).toEqual([]);
  });

  it('T141: ten thousand of them change nothing and cost no room', async () => {
    await world.write(BOB, [PHONE], ['display']);
    const keys = world.ledger.keys('awaited/').length + world.ledger.keys('sent/').length;
    for (let n = 0; n < 10_000; n++)
      expect((await world.notice(PHONE, { messageId: `forged-${n}` })).events).toEqual([]);
    expect(world.ledger.keys('awaited/').length + world.ledger.keys('sent/').length).toBe(keys);
  });

  it('T141: whatever devices say, each message is shown as displayed once, by a device that it was for and that was asked', async () => {
    const devices = [PHONE, DESK, CAROLS, LAPTOP];
    const step = fc.record({
      by: fc.constantFrom(...devices),
      message: fc.nat(9),
      conversation: fc.constantFrom(BOB, CAROL),
      receipt: fc.boolean(),
    });
    const sent = fc.record({ to: fc.subarray([PHONE, DESK]), asked: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { maxLength: 6 }), fc.array(step, { maxLength: 20 }), async (letters, steps) => {
        const fresh = await ReceiptWorld.open();
        const ids: string[] = [];
        for (const { to, asked } of letters) ids.push(await fresh.write(BOB, to, asked ? ['display'] : []));
        const shown: string[] = [];
        for (const { by, message, conversation, receipt } of steps) {
          const said = receipt
            ? await fresh.take(by, { conversation }, receiptOf(fresh, message))
            : await fresh.notice(by, { messageId: `m${message}` }, conversation);
          for (const event of said.events)
            if (event.kind === 'displayed') shown.push(...event.ids.map((id) => `${event.device} ${id} ${event.to}`));
        }
        const allowed = letters.flatMap(({ to, asked }, n) =>
          asked ? to.map((device) => `${device} ${ids[n]} ${BOB}`) : [],
        );
        expect(shown.filter((each) => !allowed.includes(each))).toEqual([]);
        expect(new Set(shown).size).toBe(shown.length);
      }),
      RUNS,
    );
  });

  it('T141: are remembered for the newest of a conversation only', async () => {
    const first = await world.write(BOB, [PHONE], ['display']);
    for (let n = 0; n < AWAITED_DISPLAYS; n++) await world.write(BOB, [PHONE], ['display']);
    expect(world.ledger.keys('awaited/')).toHaveLength(AWAITED_DISPLAYS);
    expect((await world.notice(PHONE, { messageId: first })).events).toEqual([]);
  });

  it('of our own phone tell what was displayed there', async () => {
    const event = { kind: 'displayed-elsewhere', conversation: CAROL, by: OWN_PHONE, id: 'abc' };
    const body = writeNotice({ kind: 'display', status: 'displayed', messageId: 'abc', sentAt: 0 });
    const notice = { conversation: CAROL, type: 'message/imdn+xml', body };
    expect((await world.take(OWN_PHONE, notice)).events).toEqual([event]);
  });

  it('are not shown where receipts are off', async () => {
    const id = await world.write(BOB, [PHONE], ['display']);
    await world.client.setLevel('off', BOB);
    expect((await world.notice(PHONE, { messageId: id })).events).toEqual([]);
  });
});

describe('what a LIME device asks', () => {
  const requests = ['positive-delivery', 'display'] as const;
  const ask = (id: string) => world.take(PHONE, { id, requests });
  const displayed = (id: string) =>
    world.client.displayed({ id, device: PHONE, conversation: BOB, sentAt: 7, requests });

  beforeEach(async () => {
    await world.write(BOB, [PHONE]);
  });

  it('is owed durably, one notice for a message: delivered, or displayed in its place', async () => {
    expect(await ask('a')).toMatchObject({ owed: true, shown: true });
    await ask('b');
    await displayed('a');
    await world.client.setLevel('on');
    await displayed('a');
    await world.reopen();
    const waiting = world.notices.waiting(BOB).map(({ id, status, sentAt }) => [id, status, sentAt]);
    expect(waiting).toEqual([
      ['a', 'displayed', 7],
      ['b', 'delivered', 7],
    ]);
  });

  it('is not forgotten when it changed while it was on its way', async () => {
    await ask('a');
    const [sent] = world.notices.waiting(BOB);
    await world.client.setLevel('on');
    await displayed('a');
    await world.ledger.commit((transaction) => world.notices.done(transaction, sent!));
    expect(world.notices.waiting(BOB)).toMatchObject([{ id: 'a', status: 'displayed' }]);
  });

  it('T142: is answered within bounds: of one device, of all, and in an hour', async () => {
    for (let n = 0; n < 1_000; n++) await ask(`a${n}`);
    expect(world.notices.waiting(BOB)).toHaveLength(NOTICES_OF_DEVICE);
    let answered = 0;
    const answerAll = async () => {
      for (const notice of world.notices.waiting(BOB)) {
        await world.ledger.commit((transaction) => world.notices.done(transaction, notice));
        answered += 1;
      }
    };
    for (let n = 0; n < 1_000; n++) {
      await ask(`b${n}`);
      await answerAll();
    }
    expect(answered).toBe(240);
    world.now += HOUR_MS;
    await ask('c');
    expect(world.notices.waiting(BOB)).toHaveLength(1);
  });

  it('T142: is promised to so many at once and no more, whoever asks', async () => {
    const phones = Array.from({ length: 10 }, (_, n) => parseDeviceId(`sip:p${n}@example.org;gr=urn:uuid:phone`));
    for (const phone of phones) {
      await world.trusts('trusted', phone);
      for (let n = 0; n < NOTICES_OF_DEVICE; n++) await world.take(phone, { id: `${n}`, requests });
    }
    expect(world.ledger.keys('notices/')).toHaveLength(WAITING_NOTICES);
  });

  it('T142: is not what receipts and notices ask: none of them is answered', async () => {
    const receipt = { type: 'application/vnd.sealwire.receipt', requests };
    expect(await world.take(DESK, receipt)).toMatchObject({ owed: false, shown: false });
    expect(await world.notice(PHONE, { messageId: 'x' })).toMatchObject({ owed: false, shown: false });
  });

  it('goes with a device that leaves', async () => {
    await ask('a');
    await world.ledger.commit((transaction) => world.notices.forget(transaction, PHONE));
    expect(world.notices.addressees()).toEqual([]);
  });
});

/** Says that all of our messages to bob, up to a number, have arrived and were displayed. */
function receiptOf({ ledger }: ReceiptWorld, number: number) {
  const digest = decodeBase64url(readSent(ledger, BOB, number + 1)?.digest ?? 'A'.repeat(22));
  const device = deviceTag(nodeCrypto(), ME);
  const receipts = [{ device, number: number + 1, digest, missing: [], displayed: number + 1 }];
  return { type: 'text/plain', body: new Uint8Array(0), sentAt: 1, receipts };
}
