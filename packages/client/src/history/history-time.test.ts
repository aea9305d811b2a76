/** What goes by itself: docs/spec/history.md section 4. */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { writeChatMessage } from '@sealwire/cpim/chat-message';
import { encodeContent } from '@sealwire/wire/envelope';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { settle } from '../testing/fake-time.ts';
import { ALICE, BOB, CAROL, HistoryWorld } from '../testing/history-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

jest.setTimeout(30_000);

let world: HistoryWorld;

beforeEach(async () => {
  world = await HistoryWorld.open();
});

/** Sends a CPIM message that may be shown for `lifetime` seconds. */
async function sendFor(id: string, lifetime: number): Promise<void> {
  const body = writeChatMessage({
    from: ALICE,
    to: BOB,
    id,
    type: 'text/plain',
    body: new Uint8Array(3).fill(65),
    lifetime,
  });
  const content = encodeContent({ type: 'message/cpim', body, sentAt: world.time.now(), id });
  const publish = await world.ledger.commit((transaction) =>
    world.history.recorder.queued(transaction, id, BOB, content),
  );
  publish();
  await world.texts();
}

async function receiveMany(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await world.receive(`m${i}`);
}

/** Keys and bytes of everything that is stored, as one text. */
async function stored(): Promise<string> {
  const storage = (world.storage as MemoryStorage).copy();
  const keys = world.ledger.keys('page/').map((key) => key.replace('page/', 'history/p '));
  const records = [...(await storage.load()).values(), ...(await storage.read(keys))];
  return records.map((record) => Buffer.from(record ?? []).toString()).join('\n');
}

describe('a message with a lifetime', () => {
  it.each([
    ['alone', 0],
    ['in a page', 70],
  ])('T182: that we sent goes so long after it was sent, where it lies %s', async (_where, more) => {
    await sendFor('a', 60);
    await receiveMany(more);
    expect(await world.texts()).toContain('AAA');
    await world.time.pass(MINUTE - 1);
    expect(await world.texts()).toContain('AAA');
    await world.time.pass(1);
    await settle();
    expect(await stored()).not.toContain('AAA');
    expect(await world.texts()).toHaveLength(more);
    await world.history.close();
    expect(world.failures).toEqual([]);
  });

  it.each([
    ['alone', 0],
    ['in a page', 70],
  ])('T182: that was received goes so long after it was shown, where it lies %s', async (_where, more) => {
    const message = await world.receive('a', { lifetime: 60, text: 'secret' });
    await receiveMany(more);
    await world.time.pass(5 * MINUTE);
    expect(await world.texts()).toContain('secret');
    await world.show(message);
    await world.texts();
    await world.time.pass(MINUTE - 1);
    expect(await world.texts()).toContain('secret');
    await world.time.pass(1);
    await settle();
    expect(await stored()).not.toContain('secret');
    expect(await world.texts()).toHaveLength(more);
  });

  it('T182: goes at its time when the device was off, and is not shown at that moment either', async () => {
    await sendFor('a', 60);
    const message = await world.receive('b', { lifetime: 60 });
    await world.show(message);
    await world.receive('c');
    world.time.ms += HOUR;
    // Nothing has run yet.
    expect(await world.texts()).toEqual(['text c']);
    const again = await world.reopened();
    await again.time.pass(0);
    expect(await again.texts()).toEqual(['text c']);
    expect(again.ledger.keys('recent/')).toHaveLength(1);
  });

  it('that was shown with a later one goes, too; what was shown before begins no new time', async () => {
    await world.receive('a', { lifetime: 60 });
    const b = await world.receive('b');
    await world.show(b);
    await world.texts();
    await world.time.pass(30_000);
    await world.show(await world.receive('c'));
    await world.texts();
    await world.time.pass(30_000);
    expect(await world.texts()).toEqual(['text c', 'text b']);
  });

  it('T182: does not stay for ever when the clock is put back', async () => {
    await sendFor('a', 60);
    world.time.ahead = -30 * DAY;
    await world.time.pass(2 * MINUTE + HOUR);
    expect(await world.texts()).toEqual([]);

    await sendFor('b', 60);
    world.time.ahead -= 30 * DAY;
    world = await world.reopened();
    await world.time.pass(0);
    expect(await world.texts()).toEqual(['AAA']);
    await world.time.pass(MINUTE);
    expect(await world.texts()).toEqual([]);
  });

  it('leaves nothing of its id: the same one may come again, as by an import', async () => {
    await world.show(await world.receive('a', { lifetime: 60 }));
    await world.texts();
    await world.time.pass(MINUTE);
    await world.texts();
    expect((await world.reopened()).ledger.keys('recent/')).toEqual([]);
    await world.receive('a');
    expect([await world.texts(), await world.unread()]).toEqual([['text a'], 1]);
  });
});

describe('T182: the storage is asked to erase', () => {
  let erased: number;
  class Watched extends MemoryStorage {
    erase(): void {
      erased += 1;
    }
  }

  it('what is removed, replaced or over, and not for what is only added or shown', async () => {
    erased = 0;
    world = await HistoryWorld.open(new Watched());
    await receiveMany(100);
    await world.show(world.message('m50'));
    await world.texts();
    expect(erased).toBe(0);
    await world.change({ kind: 'edited', conversation: BOB, author: BOB, id: 'm1', text: 'better', at: 5 });
    await world.texts();
    expect(erased).toBe(1);
    await world.history.remove([world.message('m2')]);
    expect(erased).toBe(2);
    await sendFor('a', 60);
    await world.time.pass(MINUTE);
    await world.texts();
    expect(erased).toBe(3);
  });
});

describe('by the settings', () => {
  it('what is older than so many days goes', async () => {
    await receiveMany(70);
    await world.time.pass(2 * DAY);
    await world.receive('b');
    await world.receive('c', { from: CAROL });
    await world.history.configure({ on: true, days: 2 });
    expect(await world.texts()).toHaveLength(71);
    await world.time.pass(HOUR);
    expect(await world.texts()).toEqual(['text b']);
    expect(await world.unread()).toBe(1);
    const again = await world.reopened();
    await again.time.pass(2 * DAY);
    expect(await again.history.conversations()).toEqual([]);
  });

  it('of each conversation the newest stay', async () => {
    await receiveMany(300);
    await world.receive('c', { from: CAROL });
    await world.history.configure({ on: true, messages: 100 });
    expect(await world.texts()).toEqual(Array.from({ length: 100 }, (_, i) => `text m${299 - i}`));
    expect(await world.unread()).toBe(100);
    await world.receive('d');
    expect((await world.texts()).slice(0, 2)).toEqual(['text d', 'text m299']);
    expect(await world.texts()).toHaveLength(100);
    expect(await world.texts(CAROL)).toHaveLength(1);
  });

  it.each([{ days: 0 }, { messages: 1.5 }, { days: -1 }, { messages: Number.NaN }])('%j is refused', async (wrong) => {
    await expect(world.history.configure({ on: true, ...wrong })).rejects.toMatchObject({ code: 'bad-request' });
    expect(world.history.settings()).toEqual({ on: true });
  });
});

describe('by hand', () => {
  it('one conversation, or all', async () => {
    await receiveMany(100);
    await world.receive('c', { from: CAROL });
    await world.history.clear(BOB);
    expect([await world.texts(), await world.texts(CAROL)]).toEqual([[], ['text c']]);
    expect(await stored()).not.toContain('text m');
    await world.receive('m0');
    expect([await world.texts(), await world.unread()]).toEqual([['text m0'], 1]);
    await world.history.clear();
    expect(await world.history.conversations()).toEqual([]);
    const left = [...(await (world.storage as MemoryStorage).copy().load()).keys()];
    expect(left.filter((key) => !key.startsWith('keeping/'))).toEqual([]);
  });
});
