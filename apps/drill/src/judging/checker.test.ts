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

const received = (number: number, device: string): Happening => ({
  event: 'received',
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

const key = (name: string): Happening => ({ event: 'key', device: BOB, suite: 'c25519', key: name });
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

const end = at(999_999, { event: 'end' });
const kinds = (...parts: HistoryEvent[][]): OffenceKind[] =>
  check([...devices, ...parts.flat()]).offences.map(({ kind }) => kind);

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
        acknowledgements: 1,
        keys: 2,
        manifests: 1,
        told: {},
      },
    });
  });

  it.each<[string, HistoryEvent[]]>([
    ['not accepted, and nowhere', at(100_000, { event: 'send', id: 'm1', from: ALICE, to: 'sip:bob@x', number: 1 })],
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
      [...at(90_000, { event: 'device', device: 'sip:bob@x;gr=3', account: 'sip:bob@x' }), ...message(1, BOB, TABLET)],
    ],
    [
      'not to a device of the writer that its list may lack',
      [
        ...at(90_000, { event: 'device', device: 'sip:alice@x;gr=2', account: 'sip:alice@x' }),
        ...message(1, BOB, TABLET),
      ],
    ],
    [
      'an older list to a request that was asked before',
      [...at(5, manifest(1)), ...at(9, manifest(2)), ...at(10, shown(1, 8)), ...at(11, held(1), held(2))],
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
        ...at(0, { event: 'device', device: 'sip:alice@x;gr=2', account: 'sip:alice@x' }),
        ...message(4_000_000, BOB, TABLET),
      ],
    ],
    ['a frame lost', 'lost', frame('f1', BOB)],
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
    ['a one-time key twice', 'key-twice', at(1, key('k1'), key('k2'), key('k1'))],
    ['a list that is gone at the end', 'manifest-gone', at(1, manifest(1), manifest(2), held(1))],
    ['a list that is another at the end', 'manifest-gone', at(1, manifest(1), held(1, 'other'))],
    [
      'an older list shown after a newer one',
      'manifest-gone',
      [...at(1, manifest(1), manifest(2)), ...at(5, shown(1, 2)), ...at(6, held(1), held(2))],
    ],
    ['another list shown', 'manifest-gone', [...at(1, manifest(1)), ...at(2, shown(1, 1, 'other')), ...at(3, held(1))]],
    ['two lists accepted as one version', 'manifest-gone', at(1, manifest(1), manifest(1, 'other'), held(1))],
    ['a gap', 'told', at(1, { event: 'told', device: BOB, what: 'gap', detail: '3 trimmed' })],
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
});
