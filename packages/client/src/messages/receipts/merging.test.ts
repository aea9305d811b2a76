/** Receipts in the inbox: one event for each device, whatever it says until somebody reads (docs/spec/messages.md section 7). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { IncomingEvent, ReceiptEvent, ReceiptKind } from '../../events.ts';
import { Ledger } from '../../storage/ledger.ts';
import { MemoryStorage } from '../../storage/memory-storage.ts';
import { bob, message, phone, put, readAll } from '../../testing/inbox-events.ts';
import { INBOX_EVENTS, Inbox } from '../inbox.ts';

let storage: MemoryStorage;
let ledger: Ledger;
let inbox: Inbox;

beforeEach(async () => {
  storage = new MemoryStorage();
  await reopen();
});

async function reopen(): Promise<void> {
  storage = storage.copy();
  ledger = await Ledger.open(storage);
  inbox = new Inbox(ledger);
}

const receipt = (kind: ReceiptKind, at: number, ...ids: string[]): ReceiptEvent => ({
  kind,
  to: bob,
  device: phone,
  ids,
  at,
});

async function all(): Promise<IncomingEvent[]> {
  inbox.caughtUp();
  return (await readAll(inbox)).filter(({ kind }) => kind !== 'caught-up');
}

describe('receipts that nobody has read', () => {
  it('become one, of each kind for itself, with each id once and the newest time', async () => {
    await put(ledger, inbox, receipt('delivered', 1, 'a'), message('x'), receipt('delivered', 2, 'b', 'a'));
    await put(ledger, inbox, receipt('displayed', 3, 'a'), receipt('delivered', 4, 'c'));
    expect(await all()).toEqual([
      receipt('delivered', 4, 'a', 'b', 'c'),
      expect.anything(),
      receipt('displayed', 3, 'a'),
    ]);
    await put(ledger, inbox, receipt('delivered', 5, 'd'));
    expect(await all()).toEqual([receipt('delivered', 5, 'd')]);
  });

  it('do not fill the inbox, however many processes take some and read nothing', async () => {
    for (let n = 0; n < 2 * INBOX_EVENTS; n++) {
      await put(ledger, inbox, receipt('delivered', n, `${n}`));
      if (n % 100 === 0) await reopen();
    }
    const [event, ...more] = (await all()) as ReceiptEvent[];
    expect([event!.ids.length, event!.ids.at(-1), more]).toEqual([128, `${2 * INBOX_EVENTS - 1}`, []]);
  });

  it('are not added to what a reader has, nor lost when they come while it begins', async () => {
    await put(ledger, inbox, message('x'), receipt('delivered', 1, 'a'));
    const seen: string[][] = [];
    const enough = new AbortController();
    let late = 0;
    for await (const event of inbox.read({ signal: enough.signal })) {
      if (event.kind === 'delivered') seen.push([...event.ids]);
      // On its way into the event that the reader asks for next, or has just got.
      if (late < 2) void put(ledger, inbox, receipt('delivered', 2, `late ${late++}`));
      if (seen.flat().length === 3) enough.abort();
    }
    expect(seen).toEqual([['a', 'late 0'], ['late 1']]);
    expect(await all()).toEqual([]);
  });
});
