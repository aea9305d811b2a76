/** A report as one HTML file: it opens without a network and runs no script. Everything in it that came from outside is escaped. */
import { OFFENCE_WORDS, type Report } from '../measuring/report.ts';
import { OFFENCES } from '../oracle/oracle.ts';
import { chart, escaped, type Line } from './charts.ts';
import { time, whole } from './figures.ts';
import { pageOf } from './page.ts';
import { tableOf } from './table.ts';

/** Levels and counts that are not drawn: they are of the generator, or of each message. */
const UNDRAWN = new Set(['connected']);
const LEAST_ROWS = 5;
const CURVE_MARKS = [0, 50, 90, 99, 99.9, 99.99, 99.999];

export function htmlOf(report: Report): string {
  const { times, rows, oracle, thresholds, ending } = report;
  const names = Object.keys(times);
  const shown = names.filter((name) => name !== 'late');
  const overTime = shown.map((name) => {
    // What happened in the first moments alone has no course.
    if (rows.filter(({ times: own }) => own[name]).length < LEAST_ROWS) return '';
    const line = (field: 'p50' | 'p99' | 'max'): Line => ({
      name: field,
      points: rows.flatMap(({ at, times: own }) => (own[name] ? [[at, own[name][field]] as const] : [])),
    });
    return chart({
      title: `${name}, each second`,
      lines: (['p50', 'p99', 'max'] as const).map(line),
      x: seconds,
      y: time,
    });
  });
  const flows = [...new Set(rows.flatMap(({ counts }) => Object.keys(counts)))].filter((name) => !UNDRAWN.has(name));
  const counts = flows.map((name) => ({
    name,
    points: rows.map(({ at, counts: own }) => [at, own[name] ?? 0] as const),
  }));
  const levels = [...new Set(rows.flatMap(({ levels: own }) => Object.keys(own)))].map((name) => ({
    name,
    points: rows.map(({ at, levels: own }) => [at, own[name] ?? 0] as const),
  }));
  const curve = chart({
    title: 'Share of all that took at most so long',
    lines: shown.map((name) => ({
      name,
      points: times[name]!.curve.map(([percent, ms]) => [nines(percent), ms] as const),
    })),
    x: (value) => `${CURVE_MARKS.find((percent) => nines(percent) === value) ?? ''} %`,
    y: time,
    marks: CURVE_MARKS.map(nines),
  });
  const memory = chart({
    title: 'Memory of the server',
    lines: [{ name: 'resident', points: report.memory.map(({ at, bytes }) => [at, bytes / 1_048_576] as const) }],
    x: seconds,
    y: (value) => `${whole(value)} MiB`,
  });
  const isGood = ending === 'ok';
  const body = `<h1>${escaped(report.server.origin)}</h1>
<p class="${isGood ? 'ok' : 'bad'}">${escaped(isGood ? 'passed' : `failed: ${ending}`)}</p>
<p><code>${escaped(report.command)}</code><br>${escaped(report.startedAt)}, ${report.seconds.toFixed(1)} s, server ${escaped(report.server.version)}, tester ${escaped(report.version)}</p>
<h2>Times</h2>
<table><tr><th></th><th>count</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr>
${names.map((name) => timesRow(name, times[name]!)).join('\n')}</table>
${curve}
${overTime.join('\n')}
${chart({ title: 'A second', lines: counts.slice(0, 5), x: seconds, y: whole })}
${chart({ title: 'At a time', lines: levels, x: seconds, y: whole })}
${memory}
<h2>Verdict</h2>
<table>${OFFENCES.map((offence) => `<tr><td>${OFFENCE_WORDS[offence]}</td><td class="${oracle.offences[offence] ? 'bad' : 'ok'}">${whole(oracle.offences[offence] ?? 0)}</td></tr>`).join('')}
${thresholds.map(({ text, value, isMissed }) => `<tr><td>fails if ${escaped(text)}</td><td class="${isMissed ? 'bad' : 'ok'}">${value === null ? 'nothing was measured' : Number(value.toFixed(3))}</td></tr>`).join('')}</table>
<h2>All figures</h2>
<pre>${escaped(tableOf(report))}</pre>`;
  return pageOf(`sealwire-load: ${report.server.origin}`, body);
}

function timesRow(name: string, { count, p50, p90, p99, p999, max }: Report['times'][string]): string {
  const cells = [whole(count), ...[p50, p90, p99, p999, max].map(time)];
  return `<tr><td>${escaped(name)}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function seconds(value: number): string {
  return `${Math.round(value)} s`;
}

/** Percent to the number of nines: each is as wide as the one before. */
function nines(percent: number): number {
  return percent >= 100 ? 5.3 : -Math.log10(1 - percent / 100);
}
