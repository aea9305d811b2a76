/** Plots as SVG text: lines over time, and the curve of a distribution. No script, nothing from elsewhere. */

const WIDTH = 860;
const HEIGHT = 260;
const LEFT = 70;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 34;
const TICKS = 4;
const COLOURS = ['#2563eb', '#ea580c', '#16a34a', '#9333ea', '#dc2626'];

export interface Line {
  readonly name: string;
  /** x ascending. */
  readonly points: readonly (readonly [number, number])[];
}

export interface ChartTerms {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly x: (value: number) => string;
  readonly y: (value: number) => string;
  /** Where marks are on the x axis; default: at whole numbers. */
  readonly marks?: readonly number[];
}

/** Empty when there is nothing to draw. */
export function chart({ title, lines, x, y, marks }: ChartTerms): string {
  const points = lines.flatMap((line) => line.points);
  if (points.length < 2) return '';
  const [fromX, toX] = [Math.min(...points.map(([at]) => at)), Math.max(...points.map(([at]) => at))];
  const top = Math.max(...points.map(([, value]) => value)) || 1;
  const placeX = (value: number) => LEFT + ((value - fromX) / (toX - fromX || 1)) * (WIDTH - LEFT - RIGHT);
  const placeY = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => i / TICKS);
  const rows = ticks.map((part) => {
    const at = placeY(part * top).toFixed(1);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" class="grid"/><text x="${LEFT - 8}" y="${at}" class="y">${escaped(y(part * top))}</text>`;
  });
  const columns = (marks ?? wholeNumbers(fromX, toX)).map(
    (value) => `<text x="${placeX(value).toFixed(1)}" y="${HEIGHT - 12}" class="x">${escaped(x(value))}</text>`,
  );
  const drawn = lines.map(({ points: own }, i) => {
    const path = own.map(([at, value]) => `${placeX(at).toFixed(1)},${placeY(value).toFixed(1)}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="1.6"/>`;
  });
  const legend = lines.map(
    ({ name }, i) => `<span><i style="background:${COLOURS[i % COLOURS.length]}"></i>${escaped(name)}</span>`,
  );
  return `<figure><figcaption>${escaped(title)} ${legend.join(' ')}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${[...rows, ...columns, ...drawn].join('')}</svg></figure>`;
}

/** As many as there are marks at most, evenly. */
function wholeNumbers(from: number, to: number): number[] {
  const first = Math.ceil(from);
  const step = Math.max(1, Math.ceil((to - first) / TICKS));
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, i) => first + i * step);
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
