/** What a report draws says what was measured: to the last of all that were counted, joined where something was, at round numbers. */
import { describe, expect, it } from '@jest/globals';
import { compare } from '../measuring/comparison.ts';
import { FORMAT, type Report } from '../measuring/report.ts';
import { chart } from './charts.ts';
import { comparisonHtml } from './comparison-html.ts';
import { htmlOf } from './html.ts';
import { evenMarks, logarithmicMarks } from './marks.ts';
import { distribution, overTime } from './plots.ts';

const CURVE: [number, number][] = [
  [0, 1],
  [50, 10],
  [90, 20],
  [99, 30],
  [99.9, 40],
  [100, 40],
];

function summary(count: number, times = 1) {
  const [p50, p90, p99, p999] = [10, 20, 30, 40].map((ms) => ms * times) as [number, number, number, number];
  return { count, mean: 12 * times, p50, p90, p99, p999, max: p999 };
}

function reportOf(given: Partial<Report> = {}): Report {
  return {
    format: FORMAT,
    version: '1',
    startedAt: '2026-01-01T00:00:00.000Z',
    server: { origin: 'http://a.example', version: '1' },
    command: 'sealwire-load chat http://a.example',
    settings: {},
    seconds: 10,
    phases: [{ name: 'chat', from: 0, to: 10 }],
    counts: { delivered: 2_000 },
    times: { deliver: { ...summary(2_000), curve: CURVE, histogram: '' } },
    rows: [],
    oracle: { offences: {} as Report['oracle']['offences'], examples: [] },
    generator: { workers: 1, loopDelay99Ms: 1, late99Ms: 1, cores: 0.1, isBottleneck: false },
    agents: [],
    memory: [],
    warnings: [],
    thresholds: [],
    ending: 'ok',
    ...given,
  };
}

/** A row at each of these seconds. */
function rowsAt(...seconds: number[]): Report['rows'] {
  return seconds.map((at) => ({ at, counts: { sent: 10 }, times: { deliver: summary(10) }, levels: { online: 2 } }));
}

const plot = (report: Report, title: string) => overTime(report).find((svg) => svg.includes(`<figcaption>${title} `))!;
const marksOf = (svg: string, axis: 'x' | 'y') =>
  [...svg.matchAll(new RegExp(`class="${axis}">([^<]*)<`, 'g'))].map(([, text]) => text);

describe('marks', () => {
  it('are round, and go around all', () => {
    expect(evenMarks(0, 716.8)).toEqual([0, 200, 400, 600, 800]);
    expect(evenMarks(0, 0.3)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(evenMarks(1.2, 9)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(evenMarks(3, 3)).toEqual([3]);
  });

  it('of a logarithmic axis are three a decade, one where it is long', () => {
    expect(logarithmicMarks([1.5, 0, 40])).toEqual([1, 2, 5, 10, 20, 50]);
    expect(logarithmicMarks([0.7, 60, 2_500])).toEqual([0.1, 1, 10, 100, 1_000, 10_000]);
    expect(logarithmicMarks([5])).toEqual([5, 10]);
    expect(logarithmicMarks([100])).toEqual([100, 200]);
    expect(logarithmicMarks([0])).toEqual([1, 10]);
  });
});

describe('a chart', () => {
  const terms = { title: 'a', x: String, y: String };

  it('joins what is near, and has a dot for what is alone', () => {
    const points = [1, 2, 6, 10, 11].map((at) => [at, 1] as const);
    const apart = chart({ ...terms, lines: [{ name: 'b', points }], widest: 2 });
    expect([apart.match(/<polyline/g), apart.match(/<circle/g)].map((found) => found?.length)).toEqual([2, 1]);
    const joined = chart({ ...terms, lines: [{ name: 'b', points }] });
    expect([joined.match(/<polyline/g)?.length, joined.match(/<circle/g)]).toEqual([1, null]);
  });

  it('is not there without two points, and has none that is no number', () => {
    expect(chart({ ...terms, lines: [{ name: 'b', points: [[1, 1]] }] })).toBe('');
    const flat = [
      [1, 0],
      [2, 0],
    ] as const;
    for (const isLogarithmic of [false, true])
      expect(chart({ ...terms, lines: [{ name: 'b', points: flat }], isLogarithmic })).not.toMatch(/NaN|Infinity/);
  });
});

describe('a distribution', () => {
  it('ends where the last of all lies: ten say nothing of one in a thousand', () => {
    const of = (count: number) => distribution('t', [{ name: 'deliver', of: { count, max: 40, curve: CURVE } }]);
    expect(marksOf(of(10), 'x')).toEqual(['0 %', '50 %', '90 %']);
    expect(marksOf(of(2_000), 'x')).toEqual(['0 %', '50 %', '90 %', '99 %', '99.9 %']);
    expect(of(1)).not.toMatch(/NaN|Infinity/);
  });
});

describe('over time', () => {
  it('all plots show the same seconds, with the beginnings of several phases', () => {
    const phases = ['morning', 'noon'].map((name, i) => ({ name, from: i * 5, to: i * 5 + 5 }));
    const report = reportOf({
      rows: rowsAt(3, 4, 5, 6, 7),
      memory: [
        { at: 8, bytes: 1 },
        { at: 10, bytes: 1 },
      ],
      phases,
    });
    const all = overTime(report).filter(Boolean);
    expect(all.map((svg) => marksOf(svg, 'x'))).toEqual(
      Array.from({ length: 4 }, () => ['0 s', '2 s', '4 s', '6 s', '8 s', '10 s', 'morning', 'noon']),
    );
    expect(overTime(reportOf({ rows: rowsAt(1, 2, 3, 4, 5) }))[0]).not.toContain('class="border"');
  });

  it('memory grows by so much an hour when ten minutes were seen, not by what some seconds have', () => {
    const memoryFor = (seconds: number) =>
      Array.from({ length: 61 }, (_, i) => ({ at: (i * seconds) / 60, bytes: (100 + i) * 1_048_576 }));
    expect(overTime(reportOf({ memory: memoryFor(600) })).at(-1)).toContain('growing by 360.0 MiB an hour');
    expect(overTime(reportOf({ memory: memoryFor(599) })).at(-1)).toContain('<figcaption>Memory of the server <');
  });

  it('a row that has two seconds is half as many a second', () => {
    const even = plot(reportOf({ rows: rowsAt(1, 2, 3, 4, 5) }), 'A second');
    expect(marksOf(even, 'y')).toEqual(['0', '2', '4', '6', '8', '10']);
    const halved = plot(
      reportOf({ rows: [...rowsAt(2, 4)].map((row) => ({ ...row, counts: { sent: 20 } })) }),
      'A second',
    );
    // The first one has nothing before it.
    expect(
      halved
        .match(/points="([^"]*)"/)![1]!
        .split(' ')
        .map((point) => point.split(',')[1]),
    ).toEqual(['14.0', '120.0']);
  });
});

describe('a page', () => {
  it('has what makes its figures doubtful at its head, and limits with their units', () => {
    const thresholds = [
      { text: 'p99>2s', value: 30, isMissed: false },
      { text: 'refused>0', value: 3, isMissed: true },
    ];
    const page = htmlOf(reportOf({ warnings: ['the generator is <slow>'], thresholds, ending: 'threshold' }));
    expect(page.indexOf('the generator is &#60;slow&#62;')).toBeLessThan(page.indexOf('<h2>Verdict'));
    expect(page).toContain('fails if p99&#62;2s</td><td class="ok">30.0 ms<');
    expect(page).toContain('fails if refused&#62;0</td><td class="bad">3<');
  });
});

describe('two reports', () => {
  const slower = reportOf({ times: { deliver: { ...summary(2_000, 3), curve: CURVE, histogram: '' } } });

  it('are one page: what is worse is said, and each distribution has both', () => {
    const [before, after] = [reportOf(), slower];
    const page = comparisonHtml(before, after, compare(before, after), 10);
    expect(page).toContain('worse by more than 10 %: 4');
    expect(page).toMatch(/deliver\.p99<\/td><td>30 ms<\/td><td>90 ms<\/td><td>\+200\.0 %<\/td><td class="bad">worse/);
    expect(page).toMatch(/<figcaption>deliver .*before.*after/);
    expect(comparisonHtml(before, before, compare(before, before), 10)).toContain('nothing is worse by more than 10 %');
  });

  it('have no quantile beyond which nothing was counted', () => {
    const of = (count: number) => {
      const report = reportOf({ times: { deliver: { ...summary(count), curve: CURVE, histogram: '' } } });
      return compare(report, slower)
        .filter(({ unit }) => unit === 'ms')
        .map(({ figure }) => figure);
    };
    expect(of(19)).toEqual([]);
    expect(of(99)).toEqual(['deliver.p50', 'deliver.p90']);
    expect(of(100)).toEqual(['deliver.p50', 'deliver.p90', 'deliver.p99']);
    expect(of(1_000)).toHaveLength(4);
  });
});
