/** Bars with the interval of each, as SVG text: one row a server, from nought. */
import { escaped } from './charts.ts';

const WIDTH = 860;
const ROW = 26;
const LEFT = 100;
const RIGHT = 150;
const TOP = 6;
const BOTTOM = 22;
const OURS = '#2563eb';
const THEIRS = '#94a3b8';

export interface Bar {
  readonly name: string;
  readonly isOurs: boolean;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Beside it. */
  readonly text: string;
}

/** `line`: a value with a line across all rows, and what is written under it. Empty when there is nothing to draw. */
export function bars(
  title: string,
  all: readonly Bar[],
  line: { readonly value: number; readonly text: string },
): string {
  if (all.length === 0) return '';
  const height = TOP + all.length * ROW + BOTTOM;
  // An interval that goes far out is cut: the bars are what is compared.
  const most = Math.max(line.value, ...all.map(({ value }) => value)) * 1.15;
  const place = (value: number) => LEFT + (Math.min(most, Math.max(0, value)) / most) * (WIDTH - LEFT - RIGHT);
  const rows = all.map(({ name, isOurs, value, low, high, text }, index) => {
    const top = TOP + index * ROW;
    const middle = top + ROW / 2;
    const [from, to] = [place(low).toFixed(1), place(high).toFixed(1)];
    return [
      `<text x="${LEFT - 8}" y="${middle}" class="y">${escaped(name)}</text>`,
      `<rect x="${LEFT}" y="${top + 4}" width="${(place(value) - LEFT).toFixed(1)}" height="${ROW - 8}" fill="${isOurs ? OURS : THEIRS}"/>`,
      `<path d="M${from} ${middle}H${to}M${from} ${middle - 4}v8M${to} ${middle - 4}v8" stroke="currentColor" fill="none"/>`,
      `<text x="${WIDTH - RIGHT + 8}" y="${middle}" class="v">${escaped(text)}</text>`,
    ].join('');
  });
  const at = place(line.value).toFixed(1);
  const across = `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${height - BOTTOM}" class="grid"/><text x="${at}" y="${height - 6}" class="x">${escaped(line.text)}</text>`;
  return `<figure><figcaption>${escaped(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">${across}${rows.join('')}</svg></figure>`;
}
