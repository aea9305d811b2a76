/** What is kept, found and changed: docs/spec/history.md sections 1 to 3. */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryStorage } from '../storage/memory-storage.ts';
import type { StorageChange } from '../storage/storage.ts';
import { ALICE, BOB, CAROL, HistoryWorld } from '../testing/history-world.ts';

jest.setTimeout(30_000);

let world: HistoryWorld;

beforeEach(async () => {
  world = await HistoryWorld.open();
});

async function receiveMany(count: number, first = 0): Promise<void> {
  for (let i = first; i < first + count; i++) await world.receive(`m${i}`);
}

describe('a history', () => {
  it('T180: keeps nothing unless it is switched on, and nothing more when it is switched off', async () => {
    const written: StorageChange[] = [];
    class Watched extends MemoryStorage {
      override write(changes: readonly StorageChange[]): Promise<void> {
        written.push(...changes);
        return super.write(changes);
      }
    }
    const off = await HistoryWorld.open(new Watched());
    await off.history.configure({ on: false });
    written.length = 0;
    await off.receive('a');
    await off.send('b');
    expect(written).toEqual([]);
    await off.history.configure({ on: true });
    await off.receive('c');
    await off.history.configure({ on: false });
    await off.receive('d');
    expect(await off.texts()).toEqual(['text c']);
    expect((await off.reopened()).history.settings()).toEqual({ on: false });
  });

  it('keeps what came and what was sent in the order of this device, over a restart too', async () => {
    await world.receive('a', { sentAt: 50 });
    await world.send('b');
    // Its sender's clock is wrong, and ours is put back.
    world.time.ahead = -10_000;
    await world.receive('c', { sentAt: 9 });
    expect(await world.texts()).toEqual(['text c', 'text b', 'text a']);
    const { messages } = await (await world.reopened()).history.page(BOB);
    expect(messages.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    const { kind: _, acceptedAt: __, ...message } = world.message('a', { sentAt: 50 });
    expect(messages[2]).toEqual({ ...message, text: 'text a', at: world.time.ms });
    expect(messages[1]).toMatchObject({ from: ALICE, conversation: BOB, state: 'queued', text: 'text b' });
  });

  it('keeps what is no text as it is, and what is no UTF-8', async () => {
    const body = Uint8Array.of(0, 255, 1);
    await world.receive('a', { type: 'image/png', body });
    await world.receive('b', { type: 'text/plain', body });
    await receiveMany(64);
    const { messages } = await (await world.reopened()).history.page(BOB, { limit: 100 });
    expect(messages.slice(-2).map(({ body: kept, text, type }) => [type, [...kept], text])).toEqual([
      ['text/plain', [0, 255, 1], undefined],
      ['image/png', [0, 255, 1], undefined],
    ]);
  });

  it('is read by pages whose cursors stay good whatever comes and goes', async () => {
    await receiveMany(200);
    const seen: string[] = [];
    let before: string | undefined;
    for (let i = 0; ; i++) {
      const page = await world.history.page(BOB, { limit: 17, ...(before !== undefined && { before }) });
      seen.push(...page.messages.map(({ id }) => id));
      before = page.next;
      if (before === undefined) break;
      await world.receive(`new${i}`);
      // The last one of the page before is where the next one begins.
      await world.history.remove([page.messages.at(-1)!]);
    }
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => `m${199 - i}`));
    await expect(world.history.page(BOB, { before: 'x' })).rejects.toMatchObject({ code: 'bad-request' });
    await expect(world.history.page(BOB, { limit: 0 })).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('packs what is many, so that little of it is loaded', async () => {
    await receiveMany(1_000);
    await world.history.conversations();
    expect(world.ledger.keys('recent/').length).toBeLessThan(64);
    expect(world.ledger.keys('page/').length).toBeLessThan(18);
    const again = await world.reopened();
    expect(again.ledger.keys('history/')).toEqual([]);
    expect(await again.texts()).toEqual(Array.from({ length: 1_000 }, (_, i) => `text m${999 - i}`));
  });

  it('packs large messages sooner', async () => {
    for (let i = 0; i < 10; i++) await world.receive(`m${i}`, { text: 'x'.repeat(20_000) });
    await world.history.conversations();
    expect(world.ledger.keys('recent/').length).toBeLessThan(2);
    expect(await world.texts()).toHaveLength(10);
  });

  it('lists conversations by their last messages, with what the user was not shown', async () => {
    await world.receive('a');
    const b = await world.receive('b');
    await world.receive('c');
    world.time.ms += 1;
    await world.send('d', CAROL);
    expect(await world.history.conversations()).toEqual([
      { conversation: CAROL, last: expect.objectContaining({ id: 'd' }), unread: 0, messages: 1 },
      { conversation: BOB, last: expect.objectContaining({ id: 'c' }), unread: 3, messages: 3 },
    ]);
    await world.show(b);
    expect(await world.unread()).toBe(1);
    const again = await world.reopened();
    expect(await again.unread()).toBe(1);
    await again.history.remove([{ conversation: BOB, from: BOB, id: 'c' }]);
    expect(await again.unread()).toBe(0);
  });

  it('knows what another device of ours has shown: by number, or by id', async () => {
    const [one] = [await world.receive('a', { number: 4 }), await world.receive('b', { number: 5 })];
    const elsewhere = {
      kind: 'displayed-elsewhere',
      conversation: BOB,
      by: world.message('x', { from: ALICE }).device,
    } as const;
    await world.arrives({ ...elsewhere, device: one.device, upTo: 4 });
    expect(await world.unread()).toBe(1);
    await world.arrives({ ...elsewhere, device: one.device, upTo: 9 });
    expect(await world.unread()).toBe(1);
    await world.arrives({ ...elsewhere, id: 'b' });
    expect(await world.unread()).toBe(0);
  });

  it('knows what became of what was sent, and no word makes it worse', async () => {
    await world.send('a');
    const { device } = world.message('x');
    const state = async () => (await world.history.page(BOB)).messages[0]!.state;
    const settle = async (as: 'accepted' | 'failed') => {
      const publish = await world.ledger.commit((transaction) =>
        world.history.recorder.settled(transaction, 'a', BOB, as),
      );
      publish();
    };
    await settle('accepted');
    expect(await state()).toBe('accepted');
    await world.arrives({ kind: 'displayed', to: BOB, device, ids: ['a', 'never'], at: 1 });
    expect(await state()).toBe('displayed');
    await world.arrives({ kind: 'delivered', to: BOB, device, ids: ['a'], at: 1 });
    await settle('failed');
    expect(await state()).toBe('displayed');
  });

  it('does after a crash what was noted before it', async () => {
    await world.send('a');
    const message = await world.receive('b');
    await world.ledger.commit((transaction) => {
      world.history.recorder.settled(transaction, 'a', BOB, 'accepted');
      world.history.shown(transaction, message);
    });
    const again = await world.reopened();
    expect((await again.history.page(BOB)).messages.map(({ state }) => state)).toEqual([undefined, 'accepted']);
    expect(await again.unread()).toBe(0);
    expect(again.ledger.keys('later/')).toEqual([]);
  });

  it('T180: keeps a message exactly when the transaction that takes it is durable', async () => {
    const fault = new Error('the transaction that took it failed');
    const taken = world.ledger.commit((transaction) => {
      world.history.recorder.arrived(transaction, world.message('a'));
      throw fault;
    });
    await expect(taken).rejects.toBe(fault);
    expect(await world.texts()).toEqual([]);
    await world.receive('b');
    expect(await (await world.reopened()).texts()).toEqual(['text b']);
  });
});

describe('what comes later to a message', () => {
  it.each([
    ['alone', 0],
    ['in a page', 100],
  ])('changes it, where it lies %s', async (_where, more) => {
    await world.receive('a');
    await receiveMany(more);
    const about = { conversation: BOB, id: 'a' } as const;
    await world.change({ ...about, kind: 'edited', author: BOB, text: 'better', at: 5 });
    await world.arrives(world.reaction('a', '👍'));
    await world.change({ ...about, kind: 'reaction', from: ALICE, emoji: '🎉' });
    const last = async () => (await world.history.page(BOB, { limit: 1_000 })).messages.at(-1)!;
    expect(await last()).toMatchObject({
      text: 'better',
      editedAt: 5,
      reactions: [
        { from: BOB, emoji: '👍' },
        { from: ALICE, emoji: '🎉' },
      ],
    });
    // An older edit comes late.
    await world.change({ ...about, kind: 'edited', author: BOB, text: 'worse', at: 4 });
    await world.arrives(world.reaction('a', ''));
    expect(await last()).toMatchObject({ text: 'better', reactions: [{ from: ALICE, emoji: '🎉' }] });
    await world.change({ ...about, kind: 'deleted', author: BOB });
    expect(await last()).toMatchObject({ id: 'a', deleted: true, text: '', reactions: [] });
    await world.change({ ...about, kind: 'edited', author: BOB, text: 'back', at: 9 });
    expect(await last()).toMatchObject({ deleted: true, text: '' });
    // A reaction is no message of its own.
    expect(await world.texts()).toHaveLength(more + 1);
  });

  it('T181: changes nothing that another account wrote', async () => {
    await world.receive('a');
    await world.send('b');
    for (const id of ['a', 'b'])
      await world.change({ kind: 'deleted', conversation: BOB, author: id === 'a' ? ALICE : BOB, id });
    await world.change({ kind: 'edited', conversation: CAROL, author: BOB, id: 'a', text: 'x', at: 1 });
    await world.arrives({ kind: 'displayed', to: BOB, device: world.message('x').device, ids: ['a'], at: 1 });
    expect((await world.history.page(BOB)).messages).toEqual([
      expect.objectContaining({ text: 'text b' }),
      expect.not.objectContaining({ state: expect.anything() }),
    ]);
  });

  it('T181: one id by two authors is two messages', async () => {
    await world.send('same', BOB, 'ours');
    await world.receive('same', { text: 'theirs' });
    await world.history.remove([{ conversation: BOB, from: BOB, id: 'same' }]);
    expect(await world.texts()).toEqual(['ours']);
  });
});

describe('a search', () => {
  beforeEach(async () => {
    await world.receive('a', { text: 'Die Straße nach Zürich' });
    await receiveMany(70);
    await world.send('b', CAROL, 'ÉTÉ in zurich, ΣΊΣΥΦΟΣ, full\u{ff57}idth');
  });

  const ids = async (text: string, conversation?: string) => {
    const { messages } = await world.history.search(text, conversation === undefined ? {} : { conversation });
    return messages.map(({ id }) => id);
  };

  it.each([
    ['zurich', ['b', 'a']],
    ['ZÜRICH strasse', ['a']],
    ['été', ['b']],
    ['σίσυφος', ['b']],
    ['fullwidth', ['b']],
    ['zurich nowhere', []],
    ['ext m6', [...Array.from({ length: 10 }, (_, i) => `m${69 - i}`), 'm6']],
  ])('for %j finds by parts of words, whatever case and accents', async (text, found) => {
    expect(await ids(text)).toEqual(found);
  });

  it('is of one conversation, or goes on from page to page', async () => {
    expect(await ids('zurich', BOB)).toEqual(['a']);
    const first = await world.history.search('text', { limit: 60 });
    const rest = await world.history.search('text', { limit: 60, before: first.next! });
    expect([first.messages.length, rest.messages.length, rest.next]).toEqual([60, 10, undefined]);
  });

  it('does not find the text that an edit replaced, nor what was deleted', async () => {
    await world.change({ kind: 'edited', conversation: BOB, author: BOB, id: 'a', text: 'Basel', at: 5 });
    expect([await ids('straße'), await ids('basel')]).toEqual([[], ['a']]);
    await world.change({ kind: 'deleted', conversation: BOB, author: BOB, id: 'a' });
    expect(await ids('basel')).toEqual([]);
  });

  it.each(['', '  ', 'a '.repeat(17)])('for %j is refused', async (text) => {
    await expect(world.history.search(text)).rejects.toMatchObject({ code: 'bad-request' });
  });
});
