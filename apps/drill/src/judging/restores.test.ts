/** A restore before the checker: what it may take away, what must be said of it, and all that it may not. */
import { describe, expect, it } from '@jest/globals';
import type { Happening, HistoryEvent } from '../history/events.ts';
import { check } from './checker.ts';
import type { OffenceKind } from './offences.ts';
import { UnderWay } from './under-way.ts';

const ALICE = 'sip:alice@x;gr=1';
const BOB = 'sip:bob@x;gr=1';
const TABLET = 'sip:bob@x;gr=2';
const CAROL = 'sip:carol@x;gr=1';
const BACKUP = 100_000;
const RESTORED = 200_000;
const BEFORE = BACKUP - 1;
const LOST = BACKUP + 20_000;
const AFTER = RESTORED + 20_000;

const at = (time: number, ...happenings: Happening[]): HistoryEvent[] =>
  happenings.map((happening) => ({ at: time, ...happening }) as HistoryEvent);

const written = (time: number, number: number): HistoryEvent[] =>
  at(
    time,
    { event: 'send', id: `m${number}`, from: ALICE, to: 'sip:bob@x', number },
    { event: 'frame-sent', id: `m${number}`, device: ALICE, recipients: [BOB] },
    { event: 'frame-accepted', id: `m${number}`, device: ALICE },
    { event: 'accepted', id: `m${number}`, leftOut: [] },
  );

const delivered = (number: number, seq: number, link = 1): Happening => ({
  event: 'delivered',
  device: BOB,
  seq,
  from: ALICE,
  id: `m${number}`,
  link,
});
const received = (number: number, device = BOB): Happening => ({
  event: 'received',
  id: `m${number}`,
  device,
  from: ALICE,
  to: 'sip:bob@x',
  number,
});
const told = (what: string, detail: object, device = BOB): Happening => ({
  event: 'told',
  device,
  what,
  detail: JSON.stringify(detail),
});
const gap = told('gap', { count: 0, reason: 'damaged' });
const hole = (first: number, last = first) => told('hole', { device: ALICE, first, last });
const notArrived = (...numbers: number[]) =>
  told('not-arrived', { device: BOB, ids: numbers.map((number) => `m${number}`) }, ALICE);
const mended = told('directory-keys', { suite: 'c25519', part: 'oneTimePrekeys', mended: true });
const noContent = (id: string) => told('undecryptable', { id, device: ALICE, code: 'no-content' }, TABLET);
const list = (version: number): Happening => ({
  event: 'manifest-accepted',
  account: 'sip:bob@x',
  version,
  digest: `d${version}`,
});
const held = (version: number): Happening => ({
  event: 'manifest-held',
  account: 'sip:bob@x',
  version,
  digest: `d${version}`,
});
const shown = (version: number, asked: number): Happening => ({
  event: 'manifest-read',
  account: 'sip:bob@x',
  version,
  digest: `d${version}`,
  asked,
});
const published = (key: string, device = BOB): Happening => ({
  event: 'keys-published',
  device,
  suite: 'c25519',
  keys: [key],
});
const key = (name: string): Happening => ({ event: 'key', device: BOB, suite: 'c25519', key: name });
const device = (id: string): Happening => ({ event: 'device', device: id, account: id.split(';')[0]! });

/** Message 1 is before the backup and 9 after the restore, and both have arrived. */
function judged(...parts: HistoryEvent[][]) {
  return check(
    [
      ...at(0, device(ALICE), device(BOB)),
      ...written(BEFORE, 1),
      ...at(BEFORE, delivered(1, 4), received(1)),
      ...at(BACKUP, { event: 'backup' }),
      ...at(RESTORED, { event: 'restored' }),
      ...parts.flat(),
      ...written(AFTER + 5_000, 9),
      ...at(AFTER + 5_001, delivered(9, 900, 9), received(9)),
      ...at(AFTER + 6_000, { event: 'end' }),
    ].toSorted((a, b) => a.at - b.at),
  );
}

describe('forgiven, after a restore', () => {
  it.each<[string, HistoryEvent[]]>([
    ['a message of the lost time, told at both ends', [...written(LOST, 2), ...at(AFTER, gap, hole(2), notArrived(2))]],
    ['a frame of before again, under a higher number', at(AFTER, delivered(1, 800, 2))],
    ['keys that a device mends, once', at(AFTER, mended)],
    [
      'an older list, until a device has given back the newer one',
      [
        ...at(1, list(1)),
        ...at(LOST, list(2)),
        ...at(AFTER, shown(1, AFTER)),
        ...at(AFTER + 1, shown(2, AFTER + 1), held(1), held(2)),
      ],
    ],
    [
      'an account of the lost time that is told so',
      at(LOST, device(CAROL)).concat(
        at(AFTER, { event: 'told', device: CAROL, what: 'stopped', detail: 'account-lost: …' }, published('k', CAROL)),
      ),
    ],
    [
      'that a device of the lost time has no keys until it brings them again',
      [
        ...at(LOST, device(TABLET)),
        ...written(LOST + 5_000, 3),
        ...at(LOST + 5_001, received(3), received(3, TABLET)),
        ...written(AFTER, 4),
        ...at(AFTER + 1, received(4), delivered(4, 500, 3), noContent('m4')),
        ...at(AFTER + 2, { event: 'device-skipped', device: ALICE, id: 'm4', skipped: TABLET, reason: 'no-keys' }),
        ...at(AFTER + 3_000, published('k', TABLET)),
      ],
    ],
    ['a key that was published after it', [...at(1, published('k')), ...at(AFTER, published('k'), key('k'))]],
  ])('%s', (_name, history) => {
    expect(judged(history).offences).toEqual([]);
  });

  it('and counted', () => {
    const { counts } = judged(written(LOST, 2), at(AFTER, gap), at(LOST, list(1)), at(AFTER, held(1)));
    expect(counts).toMatchObject({ restores: 1, gone: 1, givenBack: 1 });
  });
});

describe('no restore is a reason for', () => {
  it.each<[string, OffenceKind, HistoryEvent[]]>([
    ['the loss of what was accepted before the backup', 'lost', [...written(BEFORE, 2), ...at(AFTER, gap)]],
    ['the loss of what was accepted after it', 'lost', [...written(AFTER, 2), ...at(AFTER, gap)]],
    ['silence: the device is not told that something may be missing', 'lost', written(LOST, 2)],
    ['a message twice at an application', 'doubled', at(AFTER, received(1))],
    ['a number that is given again', 'foreign', [...written(AFTER, 2), ...at(AFTER, delivered(2, 4, 2), received(2))]],
    [
      'a number below those that were given',
      'foreign',
      [...written(AFTER, 2), ...at(AFTER, delivered(2, 3, 2), received(2))],
    ],
    [
      'a frame of after it under two numbers',
      'doubled',
      [...written(AFTER, 2), ...at(AFTER, delivered(2, 500, 2), delivered(2, 501, 2), received(2))],
    ],
    ['a one-time key twice', 'key-twice', [...at(LOST, key('k')), ...at(AFTER, key('k'))]],
    ['a one-time key of before', 'key-stale', [...at(1, published('k')), ...at(AFTER, key('k'))]],
    ['a one-time key of the lost time', 'key-stale', [...at(LOST, published('k')), ...at(AFTER, key('k'))]],
    ['a list of devices that nobody gives back', 'manifest-gone', [...at(1, list(1), held(1)), ...at(LOST, list(2))]],
    [
      'an older list than the backup has',
      'manifest-gone',
      at(1, list(1), list(2), held(1), held(2)).concat(at(AFTER, shown(1, AFTER))),
    ],
    ['a gap that counts messages', 'told', at(AFTER, told('gap', { count: 1, reason: 'damaged' }))],
    ['a full mailbox', 'told', at(AFTER, told('gap', { count: 0, reason: 'trimmed' }))],
    ['a second gap', 'told', at(AFTER, gap, gap)],
    ['a gap before it', 'told', at(LOST, gap)],
    ['keys that a device cannot mend', 'told', at(AFTER, told('directory-keys', { suite: 'c25519', mended: false }))],
    ['a hole where nothing was lost', 'told', at(AFTER, hole(2))],
    ['a hole that is wider than what was lost', 'told', [...written(LOST, 2), ...at(AFTER, gap, hole(2, 3))]],
    ['that something of before has not arrived', 'told', [...written(LOST, 2), ...at(AFTER, gap, notArrived(2, 1))]],
    [
      'an account of before that is not known any more',
      'told',
      at(AFTER, { event: 'told', device: BOB, what: 'stopped', detail: 'account-lost: …' }),
    ],
    [
      'a device of before that has no keys',
      'told',
      at(AFTER, { event: 'device-skipped', device: ALICE, id: 'm9', skipped: BOB, reason: 'no-keys' }),
    ],
    [
      'a message without a part for a device that has keys',
      'told',
      at(AFTER, told('undecryptable', { id: 'm1', device: ALICE, code: 'no-content' })),
    ],
    ['keys that a device of the lost time never brings again', 'not-recovered', at(LOST, device(TABLET))],
  ])('%s', (_name, kind, history) => {
    expect([...new Set(judged(history).offences.map((offence) => offence.kind))]).toEqual([kind]);
  });
});

it('what a restore took away is not on its way any more', () => {
  const underWay = new UnderWay();
  for (const event of [...written(BEFORE, 1), ...at(BACKUP, { event: 'backup' }), ...written(LOST, 2)])
    underWay.take(event);
  expect(underWay.oldest()).toBe(BEFORE);
  for (const event of at(RESTORED, { event: 'restored' }, delivered(1, 4))) underWay.take(event);
  expect(underWay.oldest()).toBeUndefined();
});
