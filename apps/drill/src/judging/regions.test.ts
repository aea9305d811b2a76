/** What a fault between regions cost whom, from a made-up history. */
import { expect, it } from '@jest/globals';
import type { Happening, HistoryEvent } from '../history/events.ts';
import { type RegionFigures, RegionTimes } from './regions.ts';

const at = (time: number, happening: Happening): HistoryEvent => ({ at: time, ...happening }) as HistoryEvent;

const device = (name: string, region?: string): HistoryEvent =>
  at(0, { event: 'device', device: name, account: `sip:${name}`, ...(region && { region }) });

/** Written by `from` at `time`, accepted and got by each device after so many ms. */
function message(
  time: number,
  from: string,
  accepted: number,
  arrivals: Readonly<Record<string, number>>,
): HistoryEvent[] {
  const id = `${from} ${time}`;
  return [
    at(time, { event: 'send', id, from, to: 'somebody', number: time }),
    at(time + accepted, { event: 'accepted', id, leftOut: [] }),
    ...Object.entries(arrivals).map(([to, ms]) =>
      at(time + ms, { event: 'received', id, device: to, from, to: 'somebody', number: time }),
    ),
  ];
}

const fault = (time: number, phase: 'begins' | 'lifted' | 'over', region?: string): HistoryEvent =>
  at(time, { event: 'fault', fault: 'cut', phase, ...(region && { region }) });

function figuresOf(events: readonly HistoryEvent[]): RegionFigures[] {
  const times = new RegionTimes();
  for (const event of events.toSorted((a, b) => a.at - b.at)) times.take(event);
  return times.figures();
}

const HARM = [
  ...message(12_000, 'ann', 10, { bob: 100, ann2: 20 }),
  ...message(15_000, 'bob', 10, { ann: 300 }),
  // In the second before: it may have felt the fault.
  ...message(19_500, 'ann', 10, { bob: 9_000 }),
  ...message(21_000, 'ann', 100, { bob: 14_000 }),
  ...message(22_000, 'bob', 10_000, { ann: 10_100 }),
  ...message(26_000, 'ann', 100, { bob: 13_500 }),
  ...message(33_000, 'bob', 200, { ann: 500 }),
  ...message(36_000, 'ann', 100, { bob: 200 }),
];
const PEOPLE = [device('ann', 'east'), device('ann2', 'east'), device('bob', 'west')];

it('is how long nothing was accepted there and elsewhere, and how messages crossed before, during and after', () => {
  expect(
    figuresOf([...PEOPLE, ...HARM, fault(20_000, 'begins', 'west'), fault(34_000, 'lifted'), fault(40_000, 'over')]),
  ).toEqual([
    {
      fault: 'cut',
      times: 1,
      // From the blow to bob's message of 22,000, accepted at 32,000.
      silenceMs: 12_000,
      // From 26,100 to 36,100.
      otherSilenceMs: 10_000,
      // The last slow one came at 39,500.
      acrossAfterMs: 5_500,
      // The one among ann's own devices crosses nothing.
      before: { p50: 300, p99: 300 },
      during: { p50: 13_500, p99: 14_000 },
      after: { p50: 200, p99: 200 },
    },
  ]);
});

it('of a fault that harms none more than the others is the worse of both; of several times the worst', () => {
  const again = HARM.map((event) => ({
    ...event,
    at: event.at + 100_000,
    ...('id' in event && { id: `${event.id}’` }),
  }));
  const [figures] = figuresOf([
    ...PEOPLE,
    ...HARM,
    ...([fault(20_000, 'begins'), fault(34_000, 'lifted'), fault(40_000, 'over')] as HistoryEvent[]),
    ...(again as HistoryEvent[]),
    ...[fault(121_000, 'begins'), fault(122_000, 'lifted'), fault(140_000, 'over')],
  ]);
  expect(figures).toMatchObject({ times: 2, silenceMs: 12_000, otherSilenceMs: undefined, acrossAfterMs: 17_500 });
});

it('is nothing where there are no regions, or no messages', () => {
  const harm = [fault(1_000, 'begins'), fault(2_000, 'lifted'), fault(3_000, 'over')];
  expect(figuresOf([device('ann'), device('bob'), ...HARM, ...harm])).toEqual([]);
  expect(figuresOf([...PEOPLE, ...harm])).toMatchObject([{ silenceMs: 0, acrossAfterMs: 0, before: undefined }]);
});
