/**
 * `npm run bench -w apps/relay`: the relay beside a bare `ws` server in the same run (docs/performance.md).
 * Server on core 0, generator on core 1; short alternating rounds, medians, ratios.
 *
 * `-- --check` exit code 1 when a goal is missed · `--only=sparse,dense,idle,connect,drain` · `--unstored` without a store (sparse, dense) ·
 * `--bufferutil` the bare server has the relay's native helper too · `--profile=FOLDER` a CPU profile of our server
 */
import { spawnSync } from 'node:child_process';
import { hasTaskset } from './measured-server.ts';
import { connectCost, drainRate, idleBytes, type LoadShape, pairCosts } from './measurements.ts';

const SPARSE: LoadShape = { pairs: 200, inFlight: 1 };
const DENSE: LoadShape = { pairs: 20, inFlight: 16 };
const IDLE_SOCKETS = 5_000;
const GOALS = { sparse: 2.0, dense: 1.0, idleKiB: 12 };

const check = process.argv.includes('--check');
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const wanted = (name: string) => only === undefined || only.split(',').includes(name);

if (hasTaskset) spawnSync('taskset', ['-cp', '1', String(process.pid)]);
else console.log('no taskset here: server and generator share the cores, and the figures are rough');

const rows: string[][] = [];
const missed: string[] = [];

function row(
  name: string,
  ours: number,
  bare: number | undefined,
  unit: string,
  goal?: { ratio?: number; most?: number },
  ratio = bare === undefined ? undefined : ours / bare,
): void {
  const isMissed =
    (goal?.ratio !== undefined && ratio !== undefined && ratio > goal.ratio) ||
    (goal?.most !== undefined && ours > goal.most);
  if (isMissed) missed.push(name);
  const goalText =
    goal?.ratio !== undefined ? `≤ ${goal.ratio.toFixed(1)} ×` : goal?.most !== undefined ? `≤ ${goal.most}` : '';
  rows.push([
    name,
    ours.toFixed(1),
    bare?.toFixed(1) ?? '–',
    ratio?.toFixed(2) ?? '–',
    unit,
    goalText,
    goalText === '' ? '' : isMissed ? 'missed' : 'met',
  ]);
}

for (const [name, shape, goal] of [
  ['sparse', SPARSE, GOALS.sparse],
  ['dense', DENSE, GOALS.dense],
] as const) {
  if (!wanted(name)) continue;
  const { ours, bare, ratio } = await pairCosts(shape);
  row(
    `${name} (${shape.pairs} × ${shape.inFlight})`,
    ours.micros,
    bare.micros,
    'CPU µs a message',
    { ratio: goal },
    ratio,
  );
  console.log(`${name}: ${Math.round(ours.perSecond)} msg/s ours, ${Math.round(bare.perSecond)} bare`);
}
if (wanted('idle')) {
  const [ours, bare] = [await idleBytes('ours', IDLE_SOCKETS), await idleBytes('bare', IDLE_SOCKETS)];
  row(`idle (${IDLE_SOCKETS} sockets)`, ours / 1_024, bare / 1_024, 'KiB a connection', { most: GOALS.idleKiB });
}
if (wanted('connect')) {
  const [ours, bare] = [await connectCost('ours'), await connectCost('bare')];
  row('connect and authenticate', ours, bare, 'CPU µs a connection');
}
if (wanted('drain')) {
  const { perSecond, cpuMicros } = await drainRate(10_000);
  row('drain of a mailbox of 10,000', perSecond, undefined, 'messages/s');
  row('the same', cpuMicros, undefined, 'CPU µs a message');
}

const table = [['what', 'ours', 'bare ws', 'ratio', 'unit', 'goal', ''], ...rows];
const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
for (const cells of table) console.log(cells.map((cell, column) => cell.padEnd(widths[column]!)).join('  '));
if (missed.length > 0) console.log(`missed: ${missed.join(', ')}`);
process.exit(check && missed.length > 0 ? 1 : 0);
