/** How long a fault was felt, from messages alone; and when it is over. */
import { describe, expect, it } from '@jest/globals';
import type { Happening, HistoryEvent } from '../history/events.ts';
import { Checker } from './checker.ts';
import { Overview } from './overview.ts';
import { Recovery } from './recovery.ts';
import { RegionTimes } from './regions.ts';
import { report } from './report.ts';
import { UnderWay } from './under-way.ts';

const at = (time: number, happening: Happening): HistoryEvent => ({ at: time, ...happening }) as HistoryEvent;
const fault = (time: number, phase: 'begins' | 'lifted' | 'over'): HistoryEvent =>
  at(time, { event: 'fault', fault: 'kill-relay', phase });

/** A message of that time, and when each device got it. */
const message = (time: number, ...arrivals: number[]): HistoryEvent[] => {
  const id = `m${time}`;
  return [
    at(time, { event: 'send', id, from: 'alice', to: 'bob', number: time }),
    at(time, { event: 'accepted', id, leftOut: [] }),
    ...arrivals.map((arrival, i) =>
      at(arrival, { event: 'received', id, device: `bob-${i}`, from: 'alice', to: 'bob', number: time }),
    ),
  ];
};

const history = [
  ...message(500, 600),
  fault(1_000, 'begins'),
  ...message(1_500, 1_600, 6_500),
  fault(4_000, 'lifted'),
  ...message(5_000, 5_900),
  fault(9_000, 'over'),
  ...message(9_500, 9_900),
  at(10_000, { event: 'end' }),
];

const judged = (events: readonly HistoryEvent[]) => {
  const checker = new Checker();
  const recovery = new Recovery();
  const overview = new Overview();
  const regions = new RegionTimes();
  for (const event of events) {
    overview.take(event);
    checker.take(event);
    recovery.take(event);
    regions.take(event);
  }
  return report(checker, recovery, overview, regions);
};

describe('what a fault cost', () => {
  it('is the longest wait of a message of its time, and how long after its end the last slow one came', () => {
    const recovery = new Recovery();
    for (const event of history) recovery.take(event);
    expect(recovery.felt()).toEqual([
      {
        fault: 'kill-relay',
        begins: 1_000,
        lifted: 4_000,
        over: 9_000,
        sent: 2,
        longestWaitMs: 5_000,
        recoveryMs: 2_500,
      },
    ]);
  });

  it('is a row of the table; the exit code says whether anything was broken', () => {
    const good = judged(history);
    expect(good.text).toContain('| kill-relay | 1 | 3.0 | 2 | 5.0 | 2.5 | 0 | 0 | 0 | 0 |');
    expect(good.text).toContain('```\n0.2 minutes\nmessages 4,');
    expect(good.exitCode).toBe(0);
    const again = { ...message(1_500, 7_000)[2]!, device: 'bob-0' } as HistoryEvent;
    const bad = judged([...history.slice(0, -1), again, history.at(-1)!]);
    expect(bad.text).toContain('| kill-relay | 1 | 3.0 | 2 | 5.5 | 3.0 | 0 | 1 | 0 | 0 |');
    expect(bad.exitCode).toBe(1);
  });
});

describe('the report', () => {
  const begin = at(0, { event: 'begin', settings: { minutes: 0, people: 3, faults: ['kill-relay'] } });
  const told = (n: number) => at(600 + n, { event: 'told', device: `bob-${n}`, what: 'gap', detail: '1 trimmed' });

  it('says how long it was, with whom, and how the worst storm went', () => {
    const storm = (sockets: number, back: number, ms: number) => at(700, { event: 'storm', sockets, back, ms });
    const { text } = judged([
      begin,
      ...history.slice(0, -1),
      storm(10, 10, 900),
      storm(10, 9, 20),
      at(120_000, { event: 'end' }),
    ]);
    expect(text).toContain('\n2.0 minutes, people 3\nstorms 2; worst: 9 of 10 sockets back in 0.0 s\n');
    const good = [storm(10, 10, 900), storm(10, 10, 1_900), storm(20, 20, 20)];
    expect(judged([begin, ...history.slice(0, -1), ...good, at(10_000, { event: 'end' })]).text).toContain(
      'storms 3; worst: 10 of 10 sockets back in 1.9 s\n',
    );
  });

  it('has a second table where there are regions', () => {
    const home = (device: string, region: string) => at(0, { event: 'device', device, account: 'somebody', region });
    const { text } = judged([home('alice', 'east'), home('bob-0', 'west'), home('bob-1', 'east'), ...history]);
    expect(text).toContain('\n| kill-relay | 3.5 | – | 0.0 | – | 0.10, 0.10 | 0.90, 0.90 |\n');
    expect(judged(history).text).not.toContain('elsewhere');
  });

  it('shows five of each kind of offence, and how many more there are', () => {
    const { text } = judged([...history.slice(0, -1), ...[1, 2, 3, 4, 5, 6].map(told), at(10_000, { event: 'end' })]);
    expect(text).toMatch(
      /\ntold \(a client told .*\):\n(?: {2}1970-01-01T00:00:00\.60\dZ bob-\d: gap 1 trimmed\n){5} {2}and 1 more\n```\n$/,
    );
    expect(
      judged([...history.slice(0, -1), ...[1, 2, 3, 4, 5].map(told), at(10_000, { event: 'end' })]).text,
    ).not.toContain('more');
    expect(text).not.toContain('\nlost (');
  });
});

describe('what is on its way', () => {
  it('is written and not accepted, or accepted and not with every device that is still there', () => {
    const underWay = new UnderWay();
    const oldestAfter = (time: number, happening: Happening) => {
      underWay.take(at(time, happening));
      return underWay.oldest();
    };
    const frame = { id: 'm1', device: 'alice' };
    const delivered = { event: 'delivered', seq: 1, from: 'alice', id: 'm1', link: 1 } as const;
    expect(oldestAfter(1, { event: 'send', id: 'm1', from: 'alice', to: 'bob', number: 1 })).toBe(1);
    expect(oldestAfter(2, { event: 'frame-sent', ...frame, recipients: ['bob-1', 'bob-2', 'bob-3', 'bob-4'] })).toBe(1);
    expect(oldestAfter(3, { event: 'accepted', id: 'm1', leftOut: [] })).toBe(undefined);
    expect(oldestAfter(4, { event: 'frame-left-out', ...frame, devices: ['bob-3'] })).toBe(undefined);
    expect(oldestAfter(5, { event: 'frame-accepted', ...frame })).toBe(2);
    expect(oldestAfter(6, { ...delivered, device: 'bob-1' })).toBe(2);
    expect(oldestAfter(7, { event: 'device-leaves', device: 'bob-2' })).toBe(2);
    expect(oldestAfter(8, { ...delivered, device: 'bob-4' })).toBe(undefined);
  });
});
