/** Two reports beside each other as one HTML file, like the page of one (html.ts). */
import { type ComparedLine, isWorse } from '../measuring/comparison.ts';
import type { Report } from '../measuring/report.ts';
import { escaped } from './charts.ts';
import { changeOf, shownFigure } from './comparison-table.ts';
import { pageOf } from './page.ts';
import { distribution, shownMeasures } from './plots.ts';

/** `lines`: all that both have; `allowed`: percent that a figure may be worse by. */
export function comparisonHtml(before: Report, after: Report, lines: readonly ComparedLine[], allowed: number): string {
  const worse = lines.filter((line) => isWorse(line, allowed)).length;
  const measures = shownMeasures(before).filter((name) => after.times[name]);
  const said = worse === 0 ? `nothing is worse by more than ${allowed} %` : `worse by more than ${allowed} %: ${worse}`;
  const body = `<h1>Before and after</h1>
<p class="${worse === 0 ? 'ok' : 'bad'}">${said}</p>
<table class="left">${headRow('before', before)}
${headRow('after', after)}</table>
<h2>Figures</h2>
<table><tr><th></th><th>before</th><th>after</th><th></th><th></th></tr>
${lines.map((line) => figureRow(line, allowed)).join('\n')}</table>
<h2>Share of all that took at most so long</h2>
${measures
  .map((name) =>
    distribution(name, [
      { name: 'before', of: before.times[name]! },
      { name: 'after', of: after.times[name]! },
    ]),
  )
  .join('\n')}`;
  return pageOf('sealwire-load report diff', body);
}

function headRow(name: string, { command, startedAt, seconds, server }: Report): string {
  return `<tr><th>${name}</th><td><code>${escaped(command)}</code><br>${escaped(startedAt)}, ${seconds.toFixed(1)} s, server ${escaped(server.version)}</td></tr>`;
}

function figureRow(line: ComparedLine, allowed: number): string {
  const [before, after] = [line.before, line.after].map((value) => `${shownFigure(value)} ${line.unit}`);
  const verdict = isWorse(line, allowed) ? '<td class="bad">worse</td>' : '<td></td>';
  return `<tr><td>${escaped(line.figure)}</td><td>${before}</td><td>${after}</td><td>${changeOf(line)}</td>${verdict}</tr>`;
}
