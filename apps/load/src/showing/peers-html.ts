/** A comparison as one HTML file: it opens without a network and runs no script. Everything in it that came from outside is escaped. */
import type { ComparisonReport, ShapeReport } from '../comparing/report.ts';
import { type Bar, bars } from './bars.ts';
import { escaped } from './charts.ts';
import { pageOf } from './page.ts';
import { confidenceText, digits, guaranteeOf, offencesText, peersTable, spreadText, titleOf } from './peers-table.ts';

export function peersHtml(report: ComparisonReport): string {
  const { servers, shapes, absent, machine, rounds, roundMs, warnings } = report;
  const [ours] = servers;
  const body = `<h1>${escaped(servers.map(({ name }) => name).join(', '))}</h1>
<p><code>${escaped(report.command)}</code><br>${escaped(report.startedAt)}, ${rounds} rounds of ${roundMs / 1_000} s in turns, ${report.size} bytes<br>
${escaped(machine.processor)}, ${machine.cores} cores, Node ${escaped(machine.node)}, load ${machine.loadBefore.toFixed(1)} to ${machine.loadAfter.toFixed(1)}</p>
<p class="note">${escaped(confidenceText(report))}</p>
${warnings.map((warning) => `<p class="bad">${escaped(warning)}</p>`).join('\n')}
<h2>Who promises what</h2>
<table class="left">${servers.map((server) => `<tr><th>${escaped(server.name)}</th><td>${escaped(server.version)}</td><td>${escaped(guaranteeOf(server))}</td></tr>`).join('\n')}
${absent.map(({ name, why }) => `<tr><th>${escaped(name)}</th><td></td><td>left out, ${escaped(why)}</td></tr>`).join('\n')}</table>
${shapes.map((shape) => shapeHtml(shape, report.reference, ours?.name ?? '')).join('\n')}
<h2>All figures</h2>
<pre>${escaped(peersTable(report))}</pre>`;
  return pageOf('sealwire-load compare', body);
}

function shapeHtml(shape: ShapeReport, reference: string, ours: string): string {
  const { name, about, figures, per, rows } = shape;
  const [main = ''] = figures;
  const drawn = rows.flatMap(({ server, ratios, values }): Bar[] => {
    const ratio = ratios[main];
    if (!ratio) return [];
    const { median: value, low, high } = ratio;
    const text = `${digits(value)} × (${digits(values[main]!.median)})`;
    return [{ name: server, isOurs: server === ours, value, low, high, text }];
  });
  const line = { value: 1, text: reference };
  return `<h2>${escaped(name)}</h2>
<p>${escaped(about)}</p>
${bars(`${titleOf(main, per)}, as a ratio to ${reference}`, drawn, line)}
<table><tr><th></th>${figures.map((figure) => `<th>${escaped(titleOf(figure, per))}</th>`).join('')}<th>judged</th></tr>
${rows.map((row) => `<tr><td>${escaped(row.server)}</td>${figures.map((figure) => `<td>${escaped(spreadText(row.values[figure]))}</td>`).join('')}<td class="${isClean(row) ? 'ok' : 'bad'}">${escaped(offencesText(row))}</td></tr>`).join('\n')}</table>`;
}

function isClean({ offences }: ShapeReport['rows'][number]): boolean {
  return Object.values(offences).every((count) => count === 0);
}
