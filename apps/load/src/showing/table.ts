/** A report for people, as lines of text. */
import { growthText } from '../measuring/memory-trend.ts';
import { OFFENCE_WORDS, type Report } from '../measuring/report.ts';
import { OFFENCES } from '../oracle/oracle.ts';
import { thresholdValue, time, whole } from './figures.ts';

const ENDINGS: Readonly<Record<Report['ending'], string>> = {
  ok: 'passed',
  promise: 'FAILED: a promise was broken',
  threshold: 'FAILED: a threshold was missed',
  interrupted: 'interrupted: no promise was broken until then',
};

export function tableOf(report: Report): string {
  const { counts, times, seconds, oracle, generator, thresholds, warnings } = report;
  const lines = [
    `${report.server.origin} (${report.server.version}), ${seconds.toFixed(1)} s, ${report.startedAt}`,
    '',
  ];
  const names = Object.keys(times);
  const width = Math.max(8, ...names.map((name) => name.length));
  const columns = ['count', 'p50', 'p90', 'p99', 'p99.9', 'max'];
  if (names.length > 0) lines.push(`${''.padEnd(width)}${columns.map((name) => name.padStart(12)).join('')}`);
  for (const name of names) {
    const { count, p50, p90, p99, p999, max } = times[name]!;
    const cells = [whole(count), ...[p50, p90, p99, p999, max].map(time)];
    lines.push(`${name.padEnd(width)}${cells.map((cell) => cell.padStart(12)).join('')}`);
  }
  lines.push('');
  const offences: readonly string[] = OFFENCES;
  for (const [name, count] of Object.entries(counts))
    if (!offences.includes(name))
      lines.push(`${name} ${whole(count)} (${(count / Math.max(seconds, 0.001)).toFixed(1)}/s)`);
  lines.push(OFFENCES.map((offence) => `${OFFENCE_WORDS[offence]} ${whole(oracle.offences[offence] ?? 0)}`).join(', '));
  for (const example of oracle.examples) lines.push(`  ${example}`);
  lines.push(
    `generator: ${generator.workers} workers, late by ${time(generator.late99Ms)}, event loop busy for ${time(generator.loopDelay99Ms)} (99th percentiles)`,
  );
  for (const { address, workers, offsetMs, errorMs, driftMs } of report.agents)
    lines.push(
      `agent ${address}: ${workers} workers, clock off by ${offsetMs.toFixed(2)} ms, known to ± ${errorMs.toFixed(2)} ms, ${driftMs.toFixed(2)} ms apart since the beginning`,
    );
  if (report.memory.length > 0) {
    const last = report.memory.at(-1)!.bytes / 1_048_576;
    lines.push(`server memory: ${last.toFixed(0)} MiB${growthText(report.memory)}`);
  }
  for (const threshold of thresholds)
    lines.push(`${threshold.isMissed ? 'missed' : 'met   '} ${threshold.text}: ${thresholdValue(threshold)}`);
  for (const warning of warnings) lines.push(`warning: ${warning}`);
  lines.push('', ENDINGS[report.ending], '');
  return lines.join('\n');
}
