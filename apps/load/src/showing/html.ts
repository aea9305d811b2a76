/** A report as one HTML file: it opens without a network and runs no script. Everything in it that came from outside is escaped. */
import { OFFENCE_WORDS, type Report } from '../measuring/report.ts';
import { OFFENCES } from '../oracle/oracle.ts';
import { escaped } from './charts.ts';
import { thresholdValue, time, whole } from './figures.ts';
import { pageOf } from './page.ts';
import { distribution, overTime, shownMeasures } from './plots.ts';
import { tableOf } from './table.ts';

export function htmlOf(report: Report): string {
  const { times, ending, warnings } = report;
  const isGood = ending === 'ok';
  const curves = shownMeasures(report).map((name) => ({ name, of: times[name]! }));
  const body = `<h1>${escaped(report.server.origin)}</h1>
<p class="${isGood ? 'ok' : 'bad'}">${escaped(isGood ? 'passed' : `failed: ${ending}`)}</p>
<p><code>${escaped(report.command)}</code><br>${escaped(report.startedAt)}, ${report.seconds.toFixed(1)} s, server ${escaped(report.server.version)}, tester ${escaped(report.version)}</p>
${warnings.map((warning) => `<p class="bad">${escaped(warning)}</p>`).join('\n')}
<h2>Verdict</h2>
${verdict(report)}
<h2>Times</h2>
<table><tr><th></th><th>count</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr>
${Object.entries(times)
  .map(([name, summary]) => timesRow(name, summary))
  .join('\n')}</table>
${distribution('Share of all that took at most so long', curves)}
${overTime(report).join('\n')}
<h2>All figures</h2>
<pre>${escaped(tableOf(report))}</pre>`;
  return pageOf(`sealwire-load: ${report.server.origin}`, body);
}

/** What was judged is in it: nothing lost of nothing says nothing. */
function verdict({ oracle, thresholds, counts }: Report): string {
  const judged = (['accepted', 'delivered', 'answered', 'files'] as const).filter((name) => counts[name]);
  const heads = [...judged, ...OFFENCES.map((offence) => OFFENCE_WORDS[offence])];
  const cells = [
    ...judged.map((name) => `<td>${whole(counts[name]!)}</td>`),
    ...OFFENCES.map((offence) => {
      const count = oracle.offences[offence] ?? 0;
      return `<td class="${count ? 'bad' : 'ok'}">${whole(count)}</td>`;
    }),
  ];
  const limits = thresholds.map(
    (threshold) =>
      `<tr><td>fails if ${escaped(threshold.text)}</td><td class="${threshold.isMissed ? 'bad' : 'ok'}">${thresholdValue(threshold)}</td></tr>`,
  );
  return `<table class="even"><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr><tr>${cells.join('')}</tr></table>
${limits.length > 0 ? `<table>${limits.join('\n')}</table>` : ''}`;
}

function timesRow(name: string, { count, p50, p90, p99, p999, max }: Report['times'][string]): string {
  const cells = [whole(count), ...[p50, p90, p99, p999, max].map(time)];
  return `<tr><td>${escaped(name)}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}
