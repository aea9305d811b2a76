/** Growth as a picture: one line an operation, both axes logarithmic, so that a cost that grows as a power of the size is a straight slope. */
import { type Measured, OPERATIONS, type Operation, ratioOf } from './measured.ts';

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 56;
const RIGHT = 130;
const TOP = 36;
const BOTTOM = 44;
const COLORS: Readonly<Record<Operation, string>> = {
  append: '#0072b2',
  'append to all': '#56b4e9',
  read: '#009e73',
  acknowledge: '#d55e00',
  'find device': '#cc79a7',
  claim: '#8a6d00',
};
/** Of the axis of ratios. */
const LINES = [0.5, 1, 2, 4, 8, 16, 32];

export interface GrowthStep {
  readonly accounts: number;
  readonly measured: Measured;
}

/** At least one step. */
export function growthSvg(steps: readonly GrowthStep[], title: string): string {
  const values = steps.flatMap(({ measured }) => OPERATIONS.map((operation) => ratioOf(measured, operation)));
  const low = Math.max(...LINES.filter((line) => line <= Math.min(1, ...values)), LINES[0]!);
  const high = Math.min(...LINES.filter((line) => line >= Math.max(2, ...values)), LINES.at(-1)!);
  const first = Math.log10(steps[0]!.accounts);
  const last = Math.max(first + 1, Math.log10(steps.at(-1)!.accounts));
  const x = (accounts: number) => LEFT + ((Math.log10(accounts) - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = (ratio: number) =>
    HEIGHT - BOTTOM - (Math.log2(ratio / low) / Math.log2(high / low)) * (HEIGHT - TOP - BOTTOM);
  const text = (at: readonly [number, number], content: string, more = '') =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}"${more}>${content}</text>`;
  const grid = LINES.filter((line) => line >= low && line <= high).map(
    (line) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(line).toFixed(1)}" y2="${y(line).toFixed(1)}" stroke="${line === 1 ? '#666' : '#ddd'}"/>${text([LEFT - 8, y(line) + 4], `${line} ×`, ' text-anchor="end"')}`,
  );
  const ticks = steps.map(({ accounts }) =>
    text([x(accounts), HEIGHT - BOTTOM + 20], accounts.toLocaleString('en'), ' text-anchor="middle"'),
  );
  // Names side by side are moved apart, in the order of their lines' ends.
  const ends = OPERATIONS.map((operation) => ({ operation, at: y(ratioOf(steps.at(-1)!.measured, operation)) })).sort(
    (a, b) => a.at - b.at,
  );
  for (let i = 1; i < ends.length; i++) ends[i]!.at = Math.max(ends[i]!.at, ends[i - 1]!.at + 14);
  const lines = ends.map(({ operation, at }) => {
    const points = steps.map(
      ({ accounts, measured }) => `${x(accounts).toFixed(1)},${y(ratioOf(measured, operation)).toFixed(1)}`,
    );
    const color = COLORS[operation];
    const name = `${operation} ${ratioOf(steps.at(-1)!.measured, operation).toFixed(2)}`;
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>${text([WIDTH - RIGHT + 8, at + 4], name, ` fill="${color}"`)}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#333">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text([LEFT, 20], title, ' font-size="14"'),
    ...grid,
    ...ticks,
    text([(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8], 'accounts, ten waiting messages each', ' text-anchor="middle"'),
    ...lines,
    '</svg>\n',
  ].join('\n');
}
