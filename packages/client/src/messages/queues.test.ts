/** Outbox, inbox and the ring of taken ids as durable queues (docs/spec/client.md sections 2, 5, 6). */
import { describe, expect, it } from '@jest/globals';
import { decodeBase64url } from '@sealwire/wire/base64url';
import { parseAccountAddress, parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { IncomingEvent } from '../events.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { settle } from '../testing/fake-time.ts';
import { bob, message, phone, put, readAll } from '../testing/inbox-events.ts';
import { INBOX_BYTES, INBOX_EVENTS, Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { SEEN_IDS, SeenIds } from './seen.ts';

const carol = parseAccountAddress('sip:carol@example.org');
const id = (number: number) => `${number}`.padStart(21, 'A').concat('A');
const plaintext = (text: string) => new TextEncoder().encode(text);

async function opened(storage = new MemoryStorage()) {
  return { storage, ledger: await Ledger.open(storage) };
}

const ALL = { leftOut: [], keptOut: [] };

describe('Outbox', () => {
  it('keeps the order per addressee, also over a restart, and knows what was queued before it', async () => {
    const { storage, ledger } = await opened();
    const outbox = new Outbox(ledger);
    await Promise.all([1, 2, 3].map((n) => outbox.add(id(n), n === 2 ? carol : bob, plaintext(`${n}`))));
    expect(outbox.first(bob)).toMatchObject({ id: id(1), restored: false });
    const later = new Outbox((await opened(storage.copy())).ledger);
    expect(later.count).toBe(3);
    expect(later.addressees().sort()).toEqual([bob, carol]);
    expect(later.first(bob)).toMatchObject({ id: id(1), restored: true });
    await later.accepted(later.first(bob)!, ALL, () => {});
    expect(later.first(bob)).toMatchObject({ id: id(3) });
    expect(new TextDecoder().decode(later.plaintextOf(later.first(bob)!))).toBe('3');
    await later.add(id(4), bob, plaintext('4'));
    await later.accepted(later.first(bob)!, ALL, () => {});
    expect(later.first(bob)).toMatchObject({ id: id(4), restored: false });
  });

  it('the first attempt has the message’s own id, every later one a fresh id', async () => {
    const { ledger } = await opened();
    const outbox = new Outbox(ledger);
    await outbox.add(id(1), bob, plaintext('x'));
    const entry = outbox.first(bob)!;
    expect(outbox.relayIdFor(entry, () => new Uint8Array(16))).toEqual(decodeBase64url(id(1)));
    const relayId = parseMessageId(new Uint8Array(16).fill(3));
    const attempt = {
      relayId,
      frames: [plaintext('frame'), plaintext('and another')],
      plaintext: plaintext('chained'),
      skipped: [],
    };
    const sealed = await ledger.commit((transaction) => outbox.seal(transaction, entry, attempt));
    outbox.replace(sealed);
    expect(outbox.framesOf(sealed)).toEqual([plaintext('frame'), plaintext('and another')]);
    expect(outbox.first(bob)).toMatchObject({ attempt: 1 });
    await outbox.unseal(sealed);
    expect(outbox.framesOf(sealed)).toEqual([]);
    expect(ledger.keys('sealed/')).toEqual([]);
    expect(outbox.relayIdFor(sealed, () => new Uint8Array(16).fill(9))).toEqual(new Uint8Array(16).fill(9));
    expect(outbox.plaintextOf(sealed)).toEqual(plaintext('chained'));
  });

  it('tells the outcome once, and leaves nothing behind', async () => {
    const { ledger } = await opened();
    const outbox = new Outbox(ledger);
    const first = await outbox.add(id(1), bob, plaintext('x'));
    const second = await outbox.add(id(2), bob, plaintext('y'));
    const third = await outbox.add(id(3), bob, plaintext('z'));
    await outbox.accepted(outbox.first(bob)!, ALL, () => {});
    await first.accepted;
    await outbox.failed(outbox.first(bob)!, new ClientError('unsafe-device', 'no'), (transaction) =>
      transaction.set('a/1', plaintext('also')),
    );
    await expect(second.accepted).rejects.toMatchObject({ code: 'unsafe-device' });
    expect(ledger.get('a/1')).toEqual(plaintext('also'));
    outbox.abandon(new ClientError('closed', 'bye'));
    await expect(third.accepted).rejects.toMatchObject({ code: 'closed' });
    expect(outbox.count).toBe(1);
    await outbox.accepted(outbox.first(bob)!, ALL, () => {});
    expect([...ledger.keys('outbox/'), ...ledger.keys('sealed/')]).toEqual([]);
  });
});

describe('Inbox', () => {
  it('hands out in order, markers between, text where it is text', async () => {
    const { ledger } = await opened();
    const inbox = new Inbox(ledger);
    await put(ledger, inbox, message('a'), { kind: 'gap', count: 2, reason: 'expired' }, message('b', 'image/png'));
    inbox.caughtUp();
    await put(ledger, inbox, message('c'));
    const events = await readAll(inbox);
    expect(events.map((event) => (event.kind === 'message' ? (event.text ?? 'no text') : event.kind))).toEqual([
      'a',
      'gap',
      'no text',
      'caught-up',
    ]);
    expect(events[2]).toMatchObject({ body: plaintext('b') });
    expect(ledger.keys('inbox/')).toHaveLength(1);
  });

  it('A03: what was not asked past is shown again after a crash; what was, is not', async () => {
    const { storage, ledger } = await opened();
    const inbox = new Inbox(ledger);
    await put(ledger, inbox, message('a'), message('b'));
    const reader = inbox.read({});
    await reader.next();
    await reader.next();
    const later = new Inbox((await opened(storage.copy())).ledger);
    later.caughtUp();
    expect((await readAll(later)).map((event) => event.kind === 'message' && event.text)).toEqual(['b', false]);
  });

  it('leaving the loop keeps the event, ending it by signal takes it', async () => {
    const { ledger } = await opened();
    const inbox = new Inbox(ledger);
    await put(ledger, inbox, message('a'), message('b'));
    for await (const _ of inbox.read({})) break;
    const enough = new AbortController();
    const seen: IncomingEvent[] = [];
    for await (const event of inbox.read({ signal: enough.signal })) {
      seen.push(event);
      enough.abort();
    }
    expect(seen).toMatchObject([{ text: 'a' }]);
    inbox.caughtUp();
    expect(await readAll(inbox)).toMatchObject([{ text: 'b' }, { kind: 'caught-up' }]);
  });

  it('L08: an event that was taken leaves nothing in memory or storage', async () => {
    const { storage, ledger } = await opened();
    const inbox = new Inbox(ledger);
    for (let round = 0; round < 50; round++) {
      await put(ledger, inbox, message(`${round}`));
      inbox.caughtUp();
      await readAll(inbox);
    }
    expect(ledger.keys('inbox/')).toEqual([]);
    expect((await storage.copy().load()).size).toBe(0);
  });

  it('a relay that says it is caught up without end says it once', async () => {
    const { ledger } = await opened();
    const inbox = new Inbox(ledger);
    for (let said = 0; said < 2 * INBOX_EVENTS; said++) inbox.caughtUp();
    await put(ledger, inbox, message('a'));
    await inbox.room();
    const reader = inbox.read({});
    expect((await reader.next()).value).toEqual({ kind: 'caught-up' });
    expect((await reader.next()).value).toMatchObject({ text: 'a' });
  });

  it('L01: a reader gets what is there, and then the reason why there will never be more', async () => {
    const { ledger } = await opened();
    const inbox = new Inbox(ledger);
    await put(ledger, inbox, message('a'));
    inbox.end(new ClientError('device-removed', 'gone'));
    const reader = inbox.read({});
    expect(await reader.next()).toMatchObject({ value: { text: 'a' } });
    await expect(reader.next()).rejects.toMatchObject({ code: 'device-removed' });
  });

  it('is full at its limit, and has room again when somebody reads', async () => {
    const { ledger } = await opened();
    const inbox = new Inbox(ledger);
    await put(ledger, inbox, ...Array.from({ length: INBOX_EVENTS - 1 }, (_, i) => message(`${i}`)));
    await inbox.room();
    await put(ledger, inbox, message('last'));
    let free = false;
    const room = inbox.room().then(() => {
      free = true;
    });
    await settle();
    expect(free).toBe(false);
    const reader = inbox.read({});
    await reader.next();
    await settle();
    expect(free).toBe(false);
    await reader.next();
    await room;
  });

  it('is full at its limit in bytes, too', async () => {
    const { ledger } = await opened();
    const inbox = new Inbox(ledger);
    const large = { ...message('large'), body: new Uint8Array(INBOX_BYTES / 4) };
    await put(ledger, inbox, large, large, large);
    await inbox.room();
    await put(ledger, inbox, large);
    let free = false;
    const room = inbox.room().then(() => {
      free = true;
    });
    const reader = inbox.read({});
    await reader.next();
    await settle();
    expect(free).toBe(false);
    await reader.next();
    await room;
  });
});

describe('SeenIds', () => {
  async function take(ledger: Ledger, seen: SeenIds, ...ids: string[]): Promise<void> {
    const done = await ledger.commit((transaction) =>
      seen.add(
        transaction,
        ids.map((each) => ({ sender: phone, id: each })),
      ),
    );
    done();
  }

  it('knows what was taken, by sender and id, also over a restart', async () => {
    const { storage, ledger } = await opened();
    const seen = new SeenIds(ledger);
    await take(ledger, seen, 'a', 'b', 'a');
    expect([seen.has(phone, 'a'), seen.has(phone, 'c'), seen.has(parseDeviceId(`${bob};gr=urn:uuid:2`), 'a')]).toEqual([
      true,
      false,
      false,
    ]);
    const later = new SeenIds((await opened(storage.copy())).ledger);
    expect([later.has(phone, 'a'), later.has(phone, 'b'), later.has(phone, 'c')]).toEqual([true, true, false]);
  });

  it('L08: forgets the oldest beyond its bound, and only those', async () => {
    const { storage, ledger } = await opened();
    const seen = new SeenIds(ledger);
    const ids = Array.from({ length: SEEN_IDS + 10 }, (_, i) => `${i}`);
    for (let at = 0; at < ids.length; at += 1_000) await take(ledger, seen, ...ids.slice(at, at + 1_000));
    const kept = (of: SeenIds) => [of.has(phone, '9'), of.has(phone, '10'), of.has(phone, ids.at(-1)!)];
    expect(kept(seen)).toEqual([false, true, true]);
    expect(ledger.keys('seen/')).toHaveLength(SEEN_IDS);
    const later = new SeenIds((await opened(storage.copy())).ledger);
    expect(kept(later)).toEqual([false, true, true]);
  });

  it('a failed write leaves it as it was', async () => {
    const { ledger } = await opened();
    const seen = new SeenIds(ledger);
    await expect(
      ledger.commit((transaction) => {
        seen.add(transaction, [{ sender: phone, id: 'a' }]);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(seen.has(phone, 'a')).toBe(false);
    await take(ledger, seen, 'b');
    expect(seen.has(phone, 'b')).toBe(true);
  });
});
