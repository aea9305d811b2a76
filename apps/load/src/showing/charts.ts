/** Plots as SVG text: lines over time, and the curve of a distribution. No script, nothing from elsewhere. */
import { evenMarks, logarithmicMarks } from './marks.ts';

const WIDTH = 860;
const HEIGHT = 260;
const LEFT = 70;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 34;
const COLOURS = ['#2563eb', '#ea580c', '#16a34a', '#9333ea', '#dc2626', '#0891b2', '#a16207', '#db2777'];
/** Of each line: what lies beneath is seen through the gaps, where two are the same. */
const DASHES = ['', '12 6', '5 9', '2 5'];

export interface Line {
  readonly name: string;
  /** x ascending. */
  readonly points: readonly Point[];
}

export type Point = readonly [number, number];

export interface ChartTerms {
  readonly title: string;
  /** At most `MOST_LINES`, or colours come twice. */
  readonly lines: readonly Line[];
  readonly x: (value: number) => string;
  readonly y: (value: number) => string;
  /** What the x axis shows; default: from the first point to the last one. */
  readonly range?: Point | undefined;
  /** Where marks are on the x axis; default: at round numbers. */
  readonly marks?: readonly number[];
  /** Points further apart than this on the x axis are not joined: nothing was measured between them. */
  readonly widest?: number;
  /** The y axis has decades, and no nought; default: it is even, from nought. */
  readonly isLogarithmic?: boolean;
  /** Lines across, with their names. */
  readonly borders?: readonly { readonly at: number; readonly name: string }[];
}

export const MOST_LINES = COLOURS.length;

/** Empty when there is nothing to draw. */
export function chart(terms: ChartTerms): string {
  const { title, lines, x, y, marks, isLogarithmic = false, borders = [], widest = Number.POSITIVE_INFINITY } = terms;
  const points = lines.flatMap((line) => line.points);
  if (points.length < 2) return '';
  const places = points.map(([at]) => at);
  const [fromX, toX] = terms.range ?? [Math.min(...places), Math.max(...places)];
  const values = points.map(([, value]) => value);
  const rows = isLogarithmic ? logarithmicMarks(values) : evenMarks(0, Math.max(...values) || 1);
  const scale = isLogarithmic ? Math.log10 : (value: number) => value;
  const [bottom, top] = [scale(rows[0]!), scale(rows.at(-1)!)];
  const placeX = (value: number) => LEFT + ((value - fromX) / (toX - fromX || 1)) * (WIDTH - LEFT - RIGHT);
  const placeY = (value: number) =>
    HEIGHT - BOTTOM - ((scale(Math.max(value, rows[0]!)) - bottom) / (top - bottom)) * (HEIGHT - TOP - BOTTOM);
  const drawn = [
    ...rows.map((value) => {
      const at = placeY(value).toFixed(1);
      return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" class="grid"/><text x="${LEFT - 8}" y="${at}" class="y">${escaped(y(value))}</text>`;
    }),
    ...(marks ?? evenMarks(fromX, toX).filter((value) => value >= fromX && value <= toX)).map(
      (value) => `<text x="${placeX(value).toFixed(1)}" y="${HEIGHT - 12}" class="x">${escaped(x(value))}</text>`,
    ),
    ...borders.map(({ at, name }) => {
      const place = placeX(at).toFixed(1);
      return `<line x1="${place}" x2="${place}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="border"/><text x="${place}" y="${TOP - 3}" class="x">${escaped(name)}</text>`;
    }),
    ...lines.flatMap(({ points: own }, i) =>
      pieces(own, widest).map((piece) =>
        drawnLine(
          piece.map(([at, value]) => [placeX(at), placeY(value)]),
          i,
        ),
      ),
    ),
  ];
  const legend = lines.map(({ name }, i) => `<span><i style="background:${colour(i)}"></i>${escaped(name)}</span>`);
  return `<figure><figcaption>${escaped(title)} ${legend.join(' ')}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${drawn.join('')}</svg></figure>`;
}

/** A point alone is a dot. */
function drawnLine(places: readonly Point[], i: number): string {
  const [[x, y]] = places as readonly [Point];
  if (places.length === 1) return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="${colour(i)}"/>`;
  const path = places.map(([atX, atY]) => `${atX.toFixed(1)},${atY.toFixed(1)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${colour(i)}" stroke-width="1.6" stroke-dasharray="${DASHES[i % DASHES.length]}"/>`;
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length]!;
}

/** What is joined. */
function pieces(points: readonly Point[], widest: number): Point[][] {
  const all: Point[][] = [];
  for (const point of points) {
    const last = all.at(-1)?.at(-1);
    if (last && point[0] - last[0] <= widest) all.at(-1)!.push(point);
    else all.push([point]);
  }
  return all;
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
