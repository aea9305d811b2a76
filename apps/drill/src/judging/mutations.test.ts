/**
 * The checker against servers that break one promise: histories without offence, made up from seeds, are changed in one place each, as a
 * server's fault would have changed them.
 */
import { describe, expect, it } from '@jest/globals';
import { seededNumbers } from '@sealwire/light/seeded-numbers';
import type { HistoryEvent } from '../history/events.ts';
import { goodHistory } from '../testing/good-history.ts';
import { check } from './checker.ts';
import type { OffenceKind } from './offences.ts';

const SEEDS = Array.from({ length: 25 }, (_, i) => i + 1);

type Name = HistoryEvent['event'];
type Of<Kind extends Name> = Extract<HistoryEvent, { event: Kind }>;
type History = readonly HistoryEvent[];

/** Changes a history in one place that `random` chooses. */
type Mutation = (history: History, random: () => number) => HistoryEvent[];

const isA =
  <Kind extends Name>(kind: Kind) =>
  (event: HistoryEvent): event is Of<Kind> =>
    event.event === kind;

function pick<Some>(among: readonly Some[], random: () => number): Some {
  if (among.length === 0) throw new Error('the history has nothing of the kind: change the generator');
  return among[Math.floor(random() * among.length)]!;
}

/** One event of the kind becomes those. */
function replace<Kind extends Name>(kind: Kind, by: (event: Of<Kind>, history: History) => object[]): Mutation {
  return (history, random) => {
    const chosen = pick(history.filter(isA(kind)), random);
    return history.flatMap((event) => (event === chosen ? (by(chosen, history) as HistoryEvent[]) : [event]));
  };
}

/** Something of the kind comes once more, changed, before the end. */
function again<Kind extends Name>(kind: Kind, by: (event: Of<Kind>, history: History) => object): Mutation {
  return (history, random) => {
    const { at } = history.at(-1)!;
    const more = { at, ...by(pick(history.filter(isA(kind)), random), history) } as HistoryEvent;
    return [...history.slice(0, -1), more, history.at(-1)!];
  };
}

/** All those of the kind that are about the same. */
function dropAll<Kind extends Name>(kind: Kind, nameOf: (event: Of<Kind>) => string): Mutation {
  return (history, random) => {
    const name = nameOf(pick(history.filter(isA(kind)).filter(staysToTheEnd(history)), random));
    return history.filter((event) => !(isA(kind)(event) && nameOf(event) === name));
  };
}

/** What a device that leaves does not get is nobody's fault. */
const staysToTheEnd = (history: History) => (event: HistoryEvent) =>
  !history.some((other) => other.event === 'device-leaves' && 'device' in event && other.device === event.device);

/** Two of the kind that `belong` together, one behind the other, change their places. */
function swap<Kind extends Name>(kind: Kind, belong: (a: Of<Kind>, b: Of<Kind>) => boolean): Mutation {
  return (history, random) => {
    const all = history.filter(isA(kind));
    const pairs = all.flatMap((a, i) => {
      const b = all.slice(i + 1).find((other) => belong(a, other));
      return b ? [[a, b] as const] : [];
    });
    const [a, b] = pick(pairs, random);
    return history.map((event) => (event === a ? b : event === b ? a : event));
  };
}

const newestSeq = (history: History, device: string) =>
  Math.max(...history.filter(isA('delivered')).map((event) => (event.device === device ? event.seq : 0)));
const lateLink = 99;
const third = (history: History, from: string, to: string) =>
  history.filter(isA('device')).find(({ device, account }) => account !== to && !from.startsWith(account) && device)!
    .device;

const MUTATIONS: readonly [string, OffenceKind, Mutation][] = [
  ['a message does not come to one application', 'lost', dropAll('received', ({ id, device }) => `${id} ${device}`)],
  ['a frame does not come to one device', 'lost', dropAll('delivered', ({ id, device }) => `${id} ${device}`)],
  ['a message comes again to an application', 'doubled', again('received', (event) => ({ ...event }))],
  [
    'a frame comes again under a further number',
    'doubled',
    again('delivered', (event, history) => ({ ...event, seq: newestSeq(history, event.device) + 1, link: lateLink })),
  ],
  [
    'two messages of a writer change places',
    'reordered',
    swap('received', (a, b) => a.from === b.from && a.to === b.to && a.device === b.device),
  ],
  [
    'two frames change places on a link',
    'reordered',
    swap('delivered', (a, b) => a.device === b.device && a.link === b.link),
  ],
  [
    'a message comes to a third account too',
    'foreign',
    again('received', (event, history) => ({ ...event, device: third(history, event.from, event.to) })),
  ],
  ['a message is another one', 'foreign', replace('received', (event) => [{ ...event, number: event.number + 500 }])],
  ['a message names another writer', 'foreign', replace('received', (event) => [{ ...event, from: event.device }])],
  [
    'a frame comes to a device that it does not name',
    'foreign',
    again('delivered', (event, history) => {
      const named = history.filter(isA('frame-sent')).find(({ id }) => id === event.id)!.recipients;
      const device = history.filter(isA('device')).find((one) => !named.includes(one.device))!.device;
      return { ...event, device, seq: newestSeq(history, device) + 1, link: lateLink };
    }),
  ],
  [
    'a number is given to a second frame',
    'foreign',
    again('delivered', (event, history) => {
      const other = history.filter(isA('delivered')).find((one) => one.device === event.device && one.id !== event.id)!;
      return { ...event, seq: other.seq, link: lateLink };
    }),
  ],
  ['what nobody wrote is accepted', 'foreign', again('accepted', (event) => ({ ...event, id: 'nobody’s' }))],
  ['a message is never accepted', 'not-accepted', replace('accepted', () => [])],
  ['a one-time key is handed out again', 'key-twice', again('key', (event) => ({ ...event }))],
  ['a one-time key is handed out as another’s', 'key-twice', again('key', (event) => ({ ...event, device: 'other' }))],
  ['a list is gone', 'manifest-gone', replace('manifest-held', () => [])],
  ['a list is another', 'manifest-gone', replace('manifest-held', (event) => [{ ...event, digest: 'other' }])],
  [
    'an older list is shown again',
    'manifest-gone',
    again('manifest-read', ({ account, digest }, history) => {
      const asked = history.at(-1)!.at;
      return { event: 'manifest-read', account, version: 0, digest, asked };
    }),
  ],
  [
    'an account is not to be found',
    'manifest-gone',
    again('manifest-accepted', ({ account }, history) => {
      const name = account.slice('sip:'.length).split('@')[0];
      return { event: 'manifest-missing', name, asked: history.at(-1)!.at };
    }),
  ],
  ...['gap', 'hole', 'late', 'fork', 'not-arrived', 'undecryptable', 'session-restarted', 'stopped', 'parked'].map(
    (what): [string, OffenceKind, Mutation] => [
      `an application is told of a ${what}`,
      'told',
      again('device', ({ device }) => ({ event: 'told', device, what, detail: '' })),
    ],
  ),
  [
    'a device is passed over for want of keys',
    'told',
    again('send', ({ id, from }, history) => {
      const skipped = history.filter(isA('device'))[0]!.device;
      return { event: 'device-skipped', device: from, id, skipped, reason: 'no-keys' };
    }),
  ],
  ['sockets do not come back', 'not-recovered', replace('storm', (event) => [{ ...event, back: event.sockets - 1 }])],
  [
    'a fault is not got over',
    'not-recovered',
    again('device', () => ({ event: 'fault', fault: 'kill-relay', phase: 'not-recovered' })),
  ],
  ['the end is missing', 'unfinished', replace('end', () => [])],
];

describe('a history of servers that keep their promises', () => {
  it.each(SEEDS)('has no offence (seed %i)', (seed) => {
    expect(check(goodHistory(seededNumbers(seed))).offences).toEqual([]);
  });
});

describe('the checker notices in every history that', () => {
  it.each(MUTATIONS)('%s', (_name, kind, mutate) => {
    for (const seed of SEEDS) {
      const random = seededNumbers(seed);
      const mutated = mutate(goodHistory(random), random);
      expect([seed, ...check(mutated).offences.map((offence) => offence.kind)]).toContain(kind);
    }
  });
});
