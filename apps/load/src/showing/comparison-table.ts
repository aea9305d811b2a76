/** A comparison for people. */
import { type ComparedLine, isWorse } from '../measuring/comparison.ts';

export function comparisonTable(lines: readonly ComparedLine[], allowed: number): string {
  if (lines.length === 0) return 'the two reports have no figure in common\n';
  const width = Math.max(...lines.map(({ figure }) => figure.length));
  return lines
    .map((line) => {
      const { figure, before, after } = line;
      const change = before === 0 ? (after === 0 ? '0 %' : 'new') : `${signed(((after - before) / before) * 100)} %`;
      const mark = isWorse(line, allowed) ? '  worse' : '';
      return `${figure.padEnd(width)}  ${shown(before).padStart(10)} → ${shown(after).padStart(10)} ${line.unit.padEnd(2)} ${change.padStart(8)}${mark}\n`;
    })
    .join('');
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${value.toFixed(1)}`;
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
