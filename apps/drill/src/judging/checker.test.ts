/** The checker sees each offence in a history that has exactly that one: a checker that cannot fail proves nothing. */
import { describe, expect, it } from '@jest/globals';
import type { Happening, HistoryEvent } from '../history/events.ts';
import { check } from './checker.ts';
import type { OffenceKind } from './offences.ts';

const ALICE = 'sip:alice@x;gr=1';
const BOB = 'sip:bob@x;gr=1';
const TABLET = 'sip:bob@x;gr=2';

const at = (time: number, ...happenings: Happening[]): HistoryEvent[] =>
  happenings.map((happening) => ({ at: time, ...happening }) as HistoryEvent);

const devices = at(
  0,
  { event: 'device', device: ALICE, account: 'sip:alice@x' },
  { event: 'device', device: BOB, account: 'sip:bob@x' },
  { event: 'device', device: TABLET, account: 'sip:bob@x' },
);

/** `number` of Alice to Bob, accepted; at the application of those devices. */
const message = (number: number, ...got: string[]): HistoryEvent[] =>
  at(
    100_000 + number,
    { event: 'send', id: `m${number}`, from: ALICE, to: 'sip:bob@x', number },
    { event: 'accepted', id: `m${number}`, leftOut: [] },
    ...got.map((device) => received(number, device)),
  );

const received = (number: number, device: string) => ({
  event: 'received' as const,
  id: `m${number}`,
  device,
  from: ALICE,
  to: 'sip:bob@x',
  number,
});

const frame = (id: string, ...recipients: string[]): HistoryEvent[] =>
  at(100_000, { event: 'frame-sent', id, device: ALICE, recipients }, { event: 'frame-accepted', id, device: ALICE });

const delivered = (id: string, seq: number, device = BOB, link = 1): Happening => ({
  event: 'delivered',
  device,
  seq,
  from: ALICE,
  id,
  link,
});

const key = (name: string) => ({ event: 'key' as const, device: BOB, suite: 'c25519', key: name });
const manifest = (version: number, digest = `d${version}`): Happening => ({
  event: 'manifest-accepted',
  account: 'sip:bob@x',
  version,
  digest,
});
const held = (version: number, digest = `d${version}`): Happening => ({
  event: 'manifest-held',
  account: 'sip:bob@x',
  version,
  digest,
});
const shown = (version: number, asked: number, digest = `d${version}`): Happening => ({
  event: 'manifest-read',
  account: 'sip:bob@x',
  version,
  digest,
  asked,
});

const skipped = (device: string): Happening => ({
  event: 'device-skipped',
  device: ALICE,
  id: 'm1',
  skipped: device,
  reason: 'no-keys',
});

const end = at(999_999, { event: 'end' });
/** Beside one message that is as it should be. */
const kinds = (...parts: HistoryEvent[][]): OffenceKind[] =>
  check([...devices, ...message(0, BOB, TABLET), ...parts.flat()]).offences.map(({ kind }) => kind);

describe('a history without offence', () => {
  it('has none found, and is counted', () => {
    const history = [
      ...devices,
      ...message(1, BOB, TABLET),
      ...message(2, TABLET, BOB),
      ...frame('f1', BOB, TABLET),
      ...at(100_001, delivered('f1', 4), delivered('f1', 9, TABLET), { event: 'acknowledged', device: BOB, upTo: 4 }),
      ...at(100_002, key('k1'), key('k2'), manifest(1), held(1), shown(1, 100_003)),
      ...end,
    ];
    expect(check(history)).toEqual({
      offences: [],
      counts: {
        sent: 2,
        accepted: 2,
        received: 4,
        frames: 1,
        deliveries: 2,
        repeats: 0,
        leftOut: 0,
        acknowledgements: 1,
        keys: 2,
        manifests: 1,
        told: {},
        restores: 0,
        gone: 0,
        givenBack: 0,
      },
    });
  });

  it.each<[string, HistoryEvent[]]>([
    [
      'a frame again on the next link, under its number',
      [...frame('f1', BOB), ...at(1, delivered('f1', 4), delivered('f1', 4, BOB, 2))],
    ],
    [
      'left out for want of room',
      [
        ...at(1, { event: 'frame-sent', id: 'f1', device: ALICE, recipients: [BOB] }),
        ...at(2, { event: 'frame-left-out', id: 'f1', device: ALICE, devices: [BOB] }),
        ...at(3, { event: 'frame-accepted', id: 'f1', device: ALICE }),
      ],
    ],
    [
      'to a device that left',
      [...at(1, { event: 'device-leaves', device: TABLET }), ...message(1, BOB), ...frame('f', TABLET)],
    ],
    [
      'to a device that is too new',
      [...at(98_000, { event: 'device', device: 'sip:bob@x;gr=3', account: 'sip:bob@x' }), ...message(1, BOB, TABLET)],
    ],
    [
      'not to a device of the writer that its list may lack',
      [
        ...at(98_000, { event: 'device', device: 'sip:alice@x;gr=2', account: 'sip:alice@x' }),
        ...message(1, BOB, TABLET),
      ],
    ],
    [
      'a device skipped that had no keys yet, or is leaving',
      [
        ...message(1, BOB, TABLET),
        ...at(100_002, { event: 'device', device: 'sip:bob@x;gr=3', account: 'sip:bob@x' }),
        ...at(100_003, skipped('sip:bob@x;gr=3')),
        ...at(100_004, { event: 'device-leaves', device: 'sip:bob@x;gr=3' }, skipped('sip:bob@x;gr=3')),
      ],
    ],
    [
      'a device skipped that has left, and was there before',
      [...message(1, BOB, TABLET), ...at(100_004, { event: 'device-leaves', device: TABLET }, skipped(TABLET))],
    ],
    [
      'no list of an account that comes later',
      at(1, { event: 'manifest-missing', name: 'bob', asked: 0 }, manifest(1), held(1)),
    ],
    [
      'what is told while the accounts go',
      [...end, ...at(2_000_000, { event: 'told', device: BOB, what: 'stopped', detail: '' })],
    ],

    [
      'an older list to a request that was asked before, or in the same moment',
      [
        ...at(5, manifest(1)),
        ...at(9, manifest(2)),
        ...at(10, shown(1, 8)),
        ...at(10, shown(1, 9)),
        ...at(11, held(1), held(2)),
      ],
    ],
    ['a message that waits', at(1, { event: 'told', device: ALICE, what: 'send-waits', detail: 'unavailable' })],
  ])('%s: none', (_name, history) => {
    expect(kinds(history, end)).toEqual([]);
  });
});

describe('the checker finds', () => {
  it.each<[string, OffenceKind, HistoryEvent[]]>([
    ['a message lost on one device', 'lost', message(1, BOB)],
    [
      'a message lost on another device of the writer',
      'lost',
      [
        ...at(99_000, { event: 'device', device: 'sip:alice@x;gr=2', account: 'sip:alice@x' }),
        ...message(3_000, BOB, TABLET),
      ],
    ],
    ['a frame lost', 'lost', frame('f1', BOB)],
    [
      'a message that is never accepted',
      'not-accepted',
      at(100_000, { event: 'send', id: 'm1', from: ALICE, to: 'sip:bob@x', number: 1 }),
    ],
    ['an answer to a frame that nobody sent', 'foreign', at(1, { event: 'frame-accepted', id: 'f1', device: ALICE })],
    ['an acceptance of nobody’s message', 'foreign', at(1, { event: 'accepted', id: 'm7', leftOut: [] })],
    [
      'another text than was written',
      'foreign',
      [...message(1, TABLET), ...at(100_002, { ...received(1, BOB), number: 2 })],
    ],
    [
      'a text without its number',
      'foreign',
      [...message(1, TABLET), ...at(100_002, { ...received(1, BOB), number: Number.NaN })],
    ],
    [
      'a message at the application of a third account',
      'foreign',
      [
        ...at(0, { event: 'device', device: 'sip:carol@x;gr=1', account: 'sip:carol@x' }),
        ...message(1, BOB, TABLET, 'sip:carol@x;gr=1'),
      ],
    ],
    ['a message back at its writer', 'foreign', message(1, BOB, TABLET, ALICE)],
    ['a message twice at an application', 'doubled', [...message(1, BOB, TABLET), ...at(100_002, received(1, BOB))]],
    ['a frame under two numbers', 'doubled', [...frame('f1', BOB), ...at(1, delivered('f1', 4), delivered('f1', 5))]],
    [
      'a message behind a later one',
      'reordered',
      [...message(1, TABLET), ...message(2, BOB, TABLET), ...at(100_003, received(1, BOB))],
    ],
    [
      'numbers that go backwards on a link',
      'reordered',
      [...frame('f1', BOB), ...frame('f2', BOB), ...at(1, delivered('f1', 4), delivered('f2', 3))],
    ],
    [
      'a frame at a stranger',
      'foreign',
      [...frame('f1', BOB), ...at(1, delivered('f1', 4), delivered('f1', 4, TABLET))],
    ],
    [
      'two frames under one number',
      'foreign',
      [...frame('f1', BOB), ...frame('f2', BOB), ...at(1, delivered('f1', 4), delivered('f2', 4, BOB, 2))],
    ],
    ['a message that nobody wrote', 'foreign', at(1, received(7, BOB))],
    [
      'numbers that go backwards on a link, though another one delivers meanwhile',
      'reordered',
      [
        ...['f1', 'f2', 'f3'].flatMap((id) => frame(id, BOB)),
        ...at(1, delivered('f1', 4), delivered('f2', 5, BOB, 2), delivered('f3', 3)),
      ],
    ],
    ['a one-time key twice', 'key-twice', at(1, key('k1'), key('k2'), key('k1'))],
    ['a one-time key under two names', 'key-twice', at(1, key('k1'), { ...key('k1'), device: TABLET })],
    [
      'a device called gone or without keys that is neither',
      'told',
      [...message(1, BOB, TABLET), ...at(100_002, skipped(TABLET))],
    ],
    ['a list that is gone at the end', 'manifest-gone', at(1, manifest(1), manifest(2), held(1))],
    ['a list that is another at the end', 'manifest-gone', at(1, manifest(1), held(1, 'other'))],
    [
      'an older list shown after a newer one',
      'manifest-gone',
      [...at(1, manifest(1), manifest(2)), ...at(5, shown(1, 2)), ...at(6, held(1), held(2))],
    ],
    [
      'an older list shown after a newer one that was accepted, and shown again since',
      'manifest-gone',
      [...at(1, manifest(1), manifest(2), held(1), held(2)), ...at(9, shown(2, 8)), ...at(10, shown(1, 5))],
    ],
    [
      'an older list shown after a newer one was shown, whose acceptance nobody heard',
      'manifest-gone',
      [...at(1, manifest(1), held(1), held(2)), ...at(2, shown(2, 1)), ...at(4, shown(1, 3))],
    ],
    ['a list that was shown, and is gone at the end', 'manifest-gone', at(1, manifest(1), held(1), shown(2, 0))],
    [
      'an account that is said not to be there',
      'manifest-gone',
      [...at(1, manifest(1), held(1)), ...at(3, { event: 'manifest-missing', name: 'bob', asked: 2 })],
    ],
    ['another list shown', 'manifest-gone', [...at(1, manifest(1)), ...at(2, shown(1, 1, 'other')), ...at(3, held(1))]],
    ['two lists accepted as one version', 'manifest-gone', at(1, manifest(1), manifest(1, 'other'), held(1))],
    ['a gap', 'told', at(1, { event: 'told', device: BOB, what: 'gap', detail: '3 trimmed' })],
    ['a reader that stopped', 'told', at(1, { event: 'told', device: BOB, what: 'stopped', detail: 'Error' })],
    ['what nobody knew of', 'told', at(1, { event: 'told', device: BOB, what: 'novelty', detail: '' })],
    ['a storm that was not over', 'not-recovered', at(1, { event: 'storm', sockets: 100, back: 99, ms: 9 })],
    ['a hole', 'told', at(1, { event: 'told', device: BOB, what: 'hole', detail: '3-4' })],
    [
      'a service that did not come back',
      'not-recovered',
      at(1, { event: 'fault', fault: 'kill-relay', phase: 'not-recovered' }),
    ],
  ])('%s', (_name, kind, history) => {
    expect(kinds(history, end)).toEqual([kind]);
  });

  it('a history without an end, and judges nothing of it as lost', () => {
    expect(kinds(message(1))).toEqual(['unfinished']);
  });

  it('a history in which nothing was accepted: it proves nothing', () => {
    expect(check([...devices, ...end]).offences.map(({ kind }) => kind)).toEqual(['unfinished']);
  });
});
