/** A comparison for people, as lines of text: ratios first, since they are what survives a busy machine. */
import type { ComparisonReport, ShapeReport } from '../comparing/report.ts';
import { FIGURES, type Figure } from '../comparing/shapes.ts';
import type { Spread } from '../comparing/spread.ts';

/** What a figure is called above its column. */
export function titleOf(figure: string, per: string): string {
  switch (figure) {
    case 'cpu':
      return `CPU µs a ${per}`;
    case 'perSecond':
      return 'delivered/s';
    case 'memory':
      return 'KiB a connection';
    default:
      return `${figure} ms`;
  }
}

/** Three digits are as many as say something. */
export function digits(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** `1.72 (1.60 to 1.91)`. */
export function spreadText(spread: Spread | undefined): string {
  return spread ? `${digits(spread.median)} (${digits(spread.low)} to ${digits(spread.high)})` : '–';
}

/** A line of what its sender and reader are promised. */
export function guaranteeOf({
  accepted,
  isDurable,
  isKept,
  isAuthenticated,
}: ComparisonReport['servers'][number]): string {
  return [
    `accepted ${accepted}: ${isDurable ? 'durable' : 'NOT durable'}`,
    isKept ? 'kept until its readers acknowledge' : 'kept for nobody who is away',
    isAuthenticated ? 'everybody logs in' : 'nobody logs in',
  ].join('; ');
}

/** Lost and doubled first; nothing for a clean row. */
export function offencesText({ offences }: ShapeReport['rows'][number]): string {
  const told = Object.entries(offences).filter(([name, count]) => count > 0 || name === 'lost' || name === 'doubled');
  return told.map(([name, count]) => `${name} ${count}`).join(', ');
}

export function peersTable(report: ComparisonReport): string {
  const { servers, shapes, absent, warnings, machine, reference, rounds, roundMs } = report;
  const lines = [
    `${rounds} rounds of ${roundMs / 1_000} s in turns, ${report.size} bytes, ${report.startedAt}`,
    `${machine.processor}, ${machine.cores} cores, Node ${machine.node}, load ${machine.loadBefore.toFixed(1)} to ${machine.loadAfter.toFixed(1)}`,
    '',
    ...servers.map((server) => `${server.name} ${server.version}: ${guaranteeOf(server)}`),
    ...absent.map(({ name, why }) => `${name}: left out, ${why}`),
  ];
  for (const shape of shapes) lines.push('', `${shape.name}: ${shape.about}`, ...rowsOf(shape, reference));
  lines.push('', confidenceText(report), ...warnings.map((warning) => `warning: ${warning}`), '');
  return lines.join('\n');
}

/** What the intervals mean. */
export function confidenceText({ shapes }: ComparisonReport): string {
  const [spread] = shapes.flatMap(({ rows }) => rows.flatMap(({ values }) => Object.values(values)));
  if (!spread) return 'nothing was measured';
  return `In brackets where the true median is, with ${(spread.confidence * 100).toFixed(0)} % confidence from ${spread.rounds} rounds; a ratio is the median of ratios in the same round.`;
}

function rowsOf({ figures, per, rows }: ShapeReport, reference: string): string[] {
  const [main = 'cpu'] = figures;
  const isLess = FIGURES[main as Figure].worse === 'more';
  const head = [
    '',
    `to ${reference}`,
    ...figures.map((figure) => titleOf(figure, per)),
    ...(rows.some(({ times }) => times) ? ['p50 / p99 / p99.9 ms'] : []),
    'judged',
  ];
  const cells = rows.map((row) => [
    row.server,
    spreadText(row.ratios[main]),
    ...figures.map((figure) => spreadText(row.values[figure])),
    ...(row.times ? [[row.times.p50, row.times.p99, row.times.p999].map(digits).join(' / ')] : []),
    offencesText(row),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return [line(head), ...cells.map(line), `(${titleOf(main, per)}: ${isLess ? 'less' : 'more'} is better)`];
}
