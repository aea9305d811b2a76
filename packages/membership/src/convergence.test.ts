/** Whatever happens at the same time, and in whatever order anybody hears of it: one log, and rules that always hold. */
import { describe, expect, it } from '@jest/globals';
import type { SignedGroupEvent } from '@sealwire/wire/group-event';
import fc from 'fast-check';
import { Log } from './log.ts';
import { accountName, byDepth, follows, type LogRecord } from './records.ts';
import { type GroupState, stateOf } from './state.ts';
import { courses, PEOPLE, play, type Step } from './testing/course.ts';
import { quickCrypto } from './testing/forging.ts';

const SEED = 0x5ea1;
fc.configureGlobal({ seed: SEED });

/** One set of courses for all rules: to make a course costs more than to look at it. */
const TOLD = fc.sample(courses, { seed: SEED, numRuns: 80 }).map(told);

describe('every course of events', () => {
  it('reads alike in any order, by any batches, with any repetitions', () => {
    fc.assert(
      fc.property(courses, fc.infiniteStream(fc.nat(1_000_000)), (steps, dice) => {
        const { events } = play(steps);
        const inOrder = merged(events[0]!, [events]);
        expect(inOrder.size).toBe(events.length);
        for (let i = 0; i < 2; i += 1) {
          const shuffled = shuffle([...events, ...events.slice(0, 3)], dice);
          const log = merged(events[0]!, batches(shuffled, dice));
          expect(log.heads).toEqual(inOrder.heads);
          expect(sorted(stateOf(log))).toEqual(sorted(stateOf(inOrder)));
          expect(log.missing).toEqual([]);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('says the same of the past, whatever came beside it', () => {
    fc.assert(
      fc.property(courses, (steps) => {
        const { events } = play(steps);
        const all = merged(events[0]!, [events]);
        let log = Log.of(quickCrypto, events[0]!);
        for (const event of events) {
          log = log.add([event]).log;
          expect(sorted(stateOf(all, log.heads))).toEqual(sorted(stateOf(log)));
        }
      }),
      { numRuns: 12 },
    );
  });

  it('is caught up with from any part of it that somebody has', () => {
    fc.assert(
      fc.property(courses, fc.infiniteStream(fc.nat(1_000_000)), (steps, dice) => {
        const { events } = play(steps);
        const all = merged(events[0]!, [events]);
        const part = merged(events[0]!, [events.filter(() => next(dice) % 3 > 0)]);
        // What lacks parents waits, and is asked for.
        expect(part.size + part.pending).toBeGreaterThanOrEqual(part.size);
        const whole = part.add(all.since(part.heads)).log;
        expect(whole.heads).toEqual(all.heads);
        expect([whole.pending, whole.missing]).toEqual([0, []]);
      }),
      { numRuns: 20 },
    );
  });

  it('lets nobody in without an act of an administrator that counts, and nobody removed back in without a later one', () => {
    for (const { log, state, standing } of TOLD) {
      for (const { address, since } of state.members) {
        const entry = log.records.inOrder.find(({ hash }) => hash === since)!;
        const authority = entry.event.action.kind === 'promote' ? entry : (entry.basis ?? entry);
        expect(standing.has(entry) && standing.has(authority)).toBe(true);
        expect(['create', 'invite', 'link-made', 'promote']).toContain(authority.event.action.kind);
        for (const removal of removalsOf(standing, address)) expect(follows(authority, removal)).toBe(true);
      }
    }
  });

  it('overrules an act only for a removal or demotion by somebody senior that it did not know, or one that it rests on', () => {
    for (const { log, standing } of TOLD) {
      for (const record of log.records.inOrder) {
        const { basis } = record;
        if (!basis || ['join', 'join-link'].includes(record.event.action.kind)) continue;
        const overrules = removalsOf(standing, record.event.actor, 'demote').filter(
          (end) => byDepth(end.basis!, basis) < 0 && !follows(basis, end) && !follows(end, record),
        );
        expect(standing.has(record)).toBe(standing.has(basis) && overrules.length === 0);
      }
    }
  });

  it('never overrules the one who created the group while that one was an administrator by it', () => {
    for (const { log, standing } of TOLD) {
      const created = log.records.inOrder[0]!;
      for (const record of log.records.inOrder) if (record.basis === created) expect(standing.has(record)).toBe(true);
    }
  });

  it('is told as a fork exactly where one account signed two events for one place', () => {
    for (const { log } of TOLD) {
      const places = log.records.inOrder.map(({ event }) => `${event.actor} ${event.number}`);
      expect(log.forks).toHaveLength(places.length - new Set(places).size);
    }
  });

  it('is a group that people are in: the courses reach what the rules are about', () => {
    const seen = new Map<string, number>();
    const count = (what: string, by: number) => seen.set(what, (seen.get(what) ?? 0) + by);
    for (const { log, state } of TOLD) {
      count('overruled', state.overruled.length);
      count('forks', log.forks.length);
      count('heads', log.heads.length > 1 ? 1 : 0);
      for (const { event } of log.events) count(event.action.kind, 1);
    }
    const least = ['overruled', 'forks', 'heads', 'join-link', 'link-revoked', 'remove', 'leave', 'demote'];
    for (const what of least) expect(seen.get(what) ?? `no ${what}`).toBeGreaterThan(10);
  });
});

interface Told {
  readonly log: Log;
  readonly state: GroupState;
  readonly standing: ReadonlySet<LogRecord>;
}

function told(steps: readonly Step[]): Told {
  const { events } = play(steps);
  const log = merged(events[0]!, [events]);
  const state = stateOf(log);
  const overruled = new Set(state.overruled);
  return { log, state, standing: new Set(log.records.inOrder.filter(({ hash }) => !overruled.has(hash))) };
}

function removalsOf(standing: ReadonlySet<LogRecord>, of: string, also?: 'demote'): readonly LogRecord[] {
  const account = PEOPLE.find(({ account: one }) => one === of)!.account;
  return [...standing].filter(
    ({ event: { actor, action } }) =>
      (action.kind === 'remove' || action.kind === also) &&
      accountName(action.member) === accountName(account) &&
      actor !== account,
  );
}

function merged(created: SignedGroupEvent, parts: readonly (readonly SignedGroupEvent[])[]): Log {
  let log = Log.of(quickCrypto, created);
  for (const part of parts) {
    const added = log.add(part);
    expect(added.refused).toEqual([]);
    log = added.log;
  }
  return log;
}

/** Links and overruled events are listed in the order of their arrival. */
function sorted(state: GroupState): unknown {
  const text = (hash: Uint8Array) => hash.join();
  return {
    ...state,
    links: state.links.toSorted((a, b) => (text(a.link) < text(b.link) ? -1 : 1)),
    overruled: state.overruled.map(text).toSorted(),
  };
}

function next(dice: IterableIterator<number>): number {
  return dice.next().value as number;
}

function shuffle<T>(list: T[], dice: IterableIterator<number>): T[] {
  for (let i = list.length - 1; i > 0; i -= 1) {
    const j = next(dice) % (i + 1);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

function batches<T>(list: readonly T[], dice: IterableIterator<number>): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; ) {
    const length = 1 + (next(dice) % 6);
    parts.push(list.slice(at, at + length));
    at += length;
  }
  return parts;
}
