/** A comparison for people. */
import { type ComparedLine, isWorse } from '../measuring/comparison.ts';

export function comparisonTable(lines: readonly ComparedLine[], allowed: number): string {
  if (lines.length === 0) return 'the two reports have no figure in common\n';
  const width = Math.max(...lines.map(({ figure }) => figure.length));
  return lines
    .map((line) => {
      const { figure, before, after } = line;
      const mark = isWorse(line, allowed) ? '  worse' : '';
      return `${figure.padEnd(width)}  ${shownFigure(before).padStart(10)} → ${shownFigure(after).padStart(10)} ${line.unit.padEnd(2)} ${changeOf(line).padStart(8)}${mark}\n`;
    })
    .join('');
}

/** In percent. */
export function changeOf({ before, after }: ComparedLine): string {
  if (before === 0) return after === 0 ? '0 %' : 'new';
  return `${signed(((after - before) / before) * 100)} %`;
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${value.toFixed(1)}`;
}

export function shownFigure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
