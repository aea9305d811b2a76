/** The plots of a report: the distribution of its times, and what happened each second. */
import type { Row } from '../measuring/collector.ts';
import { growthText } from '../measuring/memory-trend.ts';
import type { Report } from '../measuring/report.ts';
import { chart, type Line, MOST_LINES, type Point } from './charts.ts';
import { roundTime, short, whole } from './figures.ts';

/** Of the generator, or of each message: not drawn. */
const UNDRAWN = new Set(['connected']);
/** What comes before the load that was asked for: drawn behind it. */
const ENTERING = new Set(['register', 'login', 'connect']);
const LEAST_ROWS = 5;
const CURVE_MARKS = [0, 50, 90, 99, 99.9, 99.99, 99.999];
const QUANTILES = ['p50', 'p99', 'max'] as const;
/** Seconds. Rows are one apart, two when the generator is busy. */
const JOINED_WITHIN = 2;

/** What is measured of the server: not how late the generator was. */
export function shownMeasures({ times }: Report): string[] {
  const names = Object.keys(times).filter((name) => name !== 'late');
  return [...names.filter((name) => !ENTERING.has(name)), ...names.filter((name) => ENTERING.has(name))];
}

export function distribution(
  title: string,
  curves: readonly { readonly name: string; readonly of: CurvePart }[],
): string {
  return chart({
    title,
    lines: curves.map(({ name, of }) => ({ name, points: curvePoints(of) })),
    x: (value) => `${CURVE_MARKS.find((percent) => nines(percent) === value)} %`,
    y: roundTime,
    marks: CURVE_MARKS.map(nines).filter(
      (value, i) => i === 0 || curves.some(({ of }) => value <= nines(farthest(of))),
    ),
    isLogarithmic: true,
  });
}

type CurvePart = Pick<Report['times'][string], 'count' | 'max' | 'curve'>;

/** To the last of all that were counted: `count` of them say nothing of what is rarer. */
function curvePoints(of: CurvePart): Point[] {
  const last = farthest(of);
  const before = of.curve.filter(([percent]) => percent < last);
  return [...before, [last, of.max] as const].map(([percent, ms]) => [nines(percent), ms]);
}

function farthest({ count }: CurvePart): number {
  return 100 * (1 - 1 / Math.max(2, count));
}

/** Percent to the number of nines: each is as wide as the one before. */
function nines(percent: number): number {
  return -Math.log10(1 - percent / 100);
}

/** All of the same width: what is above each other was at the same time. */
export function overTime(report: Report): string[] {
  const { rows, phases, memory } = report;
  const ends = [...rows, ...memory].map(({ at }) => at);
  const shared = {
    range: [0, Math.max(...ends)] as const,
    x: (value: number) => `${short(value)} s`,
    borders: phases.length > 1 ? phases.map(({ name, from }) => ({ at: from, name })) : [],
  };
  const timed = shownMeasures(report).map((name) => {
    // What happened in the first moments alone has no course.
    if (rows.filter(({ times }) => times[name]).length < LEAST_ROWS) return '';
    const lines = QUANTILES.map((quantile) => ({
      name: quantile,
      points: rows.flatMap(({ at, times }): Point[] => (times[name] ? [[at, times[name][quantile]]] : [])),
    }));
    return chart({ ...shared, title: `${name}, each second`, lines, y: roundTime, widest: JOINED_WITHIN });
  });
  return [
    ...timed,
    chart({
      ...shared,
      title: 'A second',
      // A row has what came since the one before it.
      lines: linesOf(rows, ({ counts, at }, before) => [counts, at - (before?.at ?? at - 1)]),
      y: short,
    }),
    chart({ ...shared, title: 'At a time', lines: linesOf(rows, ({ levels }) => [levels, 1]), y: short }),
    chart({
      ...shared,
      title: `Memory of the server${growthText(memory)}`,
      lines: [{ name: 'resident', points: memory.map(({ at, bytes }) => [at, bytes / 1_048_576] as const) }],
      y: (value) => `${whole(value)} MiB`,
    }),
  ];
}

/** `of`: values by their names, and what they are divided by. */
function linesOf(
  rows: readonly Row[],
  of: (row: Row, before: Row | undefined) => readonly [Readonly<Record<string, number>>, number],
): Line[] {
  const parts = rows.map((row, i) => ({ at: row.at, part: of(row, rows[i - 1]) }));
  return [...new Set(parts.flatMap(({ part: [values] }) => Object.keys(values)))]
    .filter((name) => !UNDRAWN.has(name))
    .slice(0, MOST_LINES)
    .map((name) => ({
      name,
      points: parts.map(({ at, part: [values, by] }) => [at, (values[name] ?? 0) / by] as const),
    }));
}
