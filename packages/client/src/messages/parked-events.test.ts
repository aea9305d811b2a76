/** An application that fails on an event (docs/spec/client.md section 6). */
import { describe, expect, it } from '@jest/globals';
import type { IncomingEvent } from '../events.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { message, put, readAll } from '../testing/inbox-events.ts';
import { Inbox } from './inbox.ts';
import { EVENT_TRIES, PARKED_EVENTS } from './parked-events.ts';

async function opened(storage = new MemoryStorage()) {
  const ledger = await Ledger.open(storage);
  return { storage, ledger, inbox: new Inbox(ledger) };
}

const labelOf = (event: IncomingEvent | undefined) => (event?.kind === 'message' ? event.text : event?.kind);

/** A loop whose handler throws at what `fails` names. Answers what it saw, the one that it failed at as the last. */
async function readBadly(inbox: Inbox, fails: (label: string) => boolean): Promise<(string | undefined)[]> {
  const seen: (string | undefined)[] = [];
  try {
    for await (const event of inbox.read({ untilCaughtUp: true })) {
      seen.push(labelOf(event));
      if (fails(labelOf(event)!)) throw new Error('handler died');
    }
  } catch (error) {
    expect((error as Error).message).toBe('handler died');
  }
  return seen;
}

const poison = (label: string) => label === 'poison';

describe('an event on which the application fails', () => {
  it('is shown five times, then parked and told of, and the later ones are read', async () => {
    const { ledger, inbox } = await opened();
    await put(ledger, inbox, message('poison'), message('later'));
    for (let tries = 0; tries < EVENT_TRIES; tries++) expect(await readBadly(inbox, poison)).toEqual(['poison']);
    expect(inbox.parked()).toEqual([]);
    inbox.caughtUp();
    const events = await readAll(inbox);
    expect(events.map(labelOf)).toEqual(['parked', 'later', 'caught-up']);
    expect(events[0]).toEqual({ kind: 'parked', id: '0', what: 'message' });
    expect(inbox.parked()).toMatchObject([{ id: '0', event: { kind: 'message', text: 'poison' } }]);
  });

  it('that came behind others is counted from the first time on', async () => {
    const { ledger, inbox } = await opened();
    await put(ledger, inbox, message('before'), message('poison'), message('later'));
    expect(await readBadly(inbox, poison)).toEqual(['before', 'poison']);
    for (let tries = 1; tries < EVENT_TRIES; tries++) expect(await readBadly(inbox, poison)).toEqual(['poison']);
    inbox.caughtUp();
    expect((await readAll(inbox)).map(labelOf)).toEqual(['parked', 'later', 'caught-up']);
  });

  it('that kills the process each time is parked, too: each start that begins with it is a try', async () => {
    let { storage, ledger, inbox } = await opened();
    await put(ledger, inbox, message('poison'), message('later'));
    for (let start = 0; start < EVENT_TRIES; start++) {
      expect(labelOf((await inbox.read({}).next()).value as IncomingEvent)).toBe('poison');
      ({ storage, ledger, inbox } = await opened(storage.copy()));
    }
    const reader = inbox.read({});
    expect(labelOf((await reader.next()).value as IncomingEvent)).toBe('parked');
    ({ storage, ledger, inbox } = await opened(storage.copy()));
    inbox.caughtUp();
    expect((await readAll(inbox)).map(labelOf)).toEqual(['parked', 'later', 'caught-up']);
    expect(inbox.parked()).toMatchObject([{ event: { text: 'poison' } }]);
  });

  it('that was taken after some tries is forgotten, tries and all', async () => {
    const { storage, ledger, inbox } = await opened();
    await put(ledger, inbox, message('poison'));
    for (let tries = 1; tries < EVENT_TRIES; tries++) await readBadly(inbox, poison);
    inbox.caughtUp();
    expect((await readAll(inbox)).map(labelOf)).toEqual(['poison', 'caught-up']);
    expect((await storage.copy().load()).size).toBe(0);
  });
});

describe('what is parked', () => {
  async function parkOne() {
    const all = await opened();
    await put(all.ledger, all.inbox, message('poison'));
    for (let tries = 0; tries < EVENT_TRIES; tries++) await readBadly(all.inbox, poison);
    all.inbox.caughtUp();
    await readAll(all.inbox);
    return all;
  }

  it('can be asked for again, with five tries more; also after a restart, when its number is free again', async () => {
    const { inbox, ledger } = await opened((await parkOne()).storage.copy());
    await put(ledger, inbox, message('new'));
    const [, twice] = await Promise.allSettled([inbox.retry('0'), inbox.retry('0')]);
    expect(twice).toMatchObject({ status: 'rejected', reason: { code: 'not-found' } });
    expect(inbox.parked()).toEqual([]);
    expect(await readBadly(inbox, poison)).toEqual(['new', 'poison']);
    inbox.caughtUp();
    expect((await readAll(inbox)).map(labelOf)).toEqual(['poison', 'caught-up']);
    expect(ledger.keys('inbox/')).toEqual([]);
  });

  it('is not told of for ever to an application that fails on that, too', async () => {
    const { ledger, inbox } = await opened();
    await put(ledger, inbox, message('poison'), message('later'));
    const seen: (string | undefined)[] = [];
    for (let tries = 0; tries < 2 * EVENT_TRIES; tries++)
      seen.push(...(await readBadly(inbox, (label) => poison(label) || label === 'parked')));
    expect(seen).toEqual([...Array(EVENT_TRIES).fill('poison'), ...Array(EVENT_TRIES).fill('parked')]);
    inbox.caughtUp();
    expect((await readAll(inbox)).map(labelOf)).toEqual(['later', 'caught-up']);
    expect(inbox.parked()).toHaveLength(1);
  });

  it('is a hundred events at most: the oldest goes, and the next one that is parked says so', async () => {
    const { ledger, inbox } = await opened();
    for (let number = 0; number <= PARKED_EVENTS; number++) {
      await put(ledger, inbox, message(`${number}`));
      for (let tries = 0; tries < EVENT_TRIES; tries++) await readBadly(inbox, (label) => label === `${number}`);
      inbox.caughtUp();
      const [told] = await readAll(inbox);
      const forgotten = number < PARKED_EVENTS ? {} : { forgotten: '0' };
      expect(told).toEqual({ kind: 'parked', id: `${number}`, what: 'message', ...forgotten });
    }
    expect(inbox.parked()).toHaveLength(PARKED_EVENTS);
    expect(inbox.parked()[0]).toMatchObject({ id: '1', event: { text: '1' } });
  });
});
