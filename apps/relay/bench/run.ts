/**
 * `npm run bench -w apps/relay`: the relay beside a bare `ws` server in the same run (docs/performance.md).
 * Server on core 0, generator on core 1; short alternating rounds, medians, ratios.
 *
 * `-- --check` exit code 1 when a goal is missed · `--only=sparse,dense,group,open,idle,connect,drain,fair,shapes` ·
 * `--store=mongodb://… --bus=redis://… --watch=NAME:PID` the engines of many nodes (shapes; a database of its own: it is left full) ·
 * `--flood=TEXT` only the floods whose names have it (fair) ·
 * `--unstored` without a store (sparse, dense, open) · `--rates=500,2000` messages a second (open, shapes) ·
 * `--short` fewer rounds (open) · `--bufferutil` the peers have the relay's native helper too ·
 * `--profile=FOLDER` a CPU profile of our server
 */
import { spawnSync } from 'node:child_process';
import { type Fairness, FLOODING_SOCKETS, fairness } from './fair.ts';
import { GROUP_SIZES, type GroupFigures, groupFigures } from './group.ts';
import { hasTaskset } from './measured-server.ts';
import { connectCosts, drainRate, idleBytes, type LoadShape, pairCosts } from './measurements.ts';
import { type OpenCost, type OpenFigures, openCosts } from './open.ts';
import { SHAPE_RATES, type ShapeFigures, shapeFigures } from './shapes.ts';

const SPARSE: LoadShape = { pairs: 200, inFlight: 1 };
const DENSE: LoadShape = { pairs: 20, inFlight: 16 };
const IDLE_SOCKETS = 5_000;
const RATES = [50, 500, 2_000, 5_000];
const ROUNDS = process.argv.includes('--short') ? 2 : 5;
const GOALS = {
  sparse: 2.0,
  dense: 1.0,
  idleKiB: 12,
  connect: 3,
  openAt: 2_000,
  openMicros: 1.5,
  open99: 2.0,
  stallMs: 10,
  fair99: 100,
};

const check = process.argv.includes('--check');
const only = optionOf('only');
const rates = optionOf('rates')?.split(',').map(Number);
const wanted = (name: string) => only === undefined || only.split(',').includes(name);

function optionOf(option: string): string | undefined {
  const start = `--${option}=`;
  return process.argv.find((argument) => argument.startsWith(start))?.slice(start.length);
}

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
    (goal?.ratio !== undefined && ratio !== undefined && !(ratio <= goal.ratio)) ||
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
if (wanted('group')) tellGroups(await groupFigures(GROUP_SIZES));
if (wanted('open')) {
  const costs = await openCosts(rates ?? RATES, ROUNDS);
  tellOpen(costs);
  for (const { perSecond, ours, logged, ratio } of costs) {
    const isJudged = perSecond === GOALS.openAt;
    const name = `open, ${perSecond}/s:`;
    row(
      `${name} cost`,
      ours.micros,
      logged.micros,
      'CPU µs a message',
      isJudged ? { ratio: GOALS.openMicros } : {},
      ratio.micros,
    );
    row(`${name} latency, p50`, ours.p50, logged.p50, 'ms', {}, ratio.p50);
    row(`${name} latency, p99`, ours.p99, logged.p99, 'ms', isJudged ? { ratio: GOALS.open99 } : {}, ratio.p99);
    row(`${name} longest stall`, ours.watched.stallMs, logged.watched.stallMs, 'ms', { most: GOALS.stallMs });
  }
}
if (wanted('idle')) {
  const [ours, bare] = [await idleBytes('ours', IDLE_SOCKETS), await idleBytes('bare', IDLE_SOCKETS)];
  row(`idle (${IDLE_SOCKETS} sockets)`, ours / 1_024, bare / 1_024, 'KiB a connection', { most: GOALS.idleKiB });
}
if (wanted('connect')) {
  const { bare, foreign, own } = await connectCosts();
  row('connect and authenticate', foreign.micros, bare, 'CPU µs a connection', {}, foreign.ratio);
  row('the same, the token is its own', own.micros, bare, 'CPU µs a connection', { ratio: GOALS.connect }, own.ratio);
}
if (wanted('drain')) {
  const { perSecond, cpuMicros } = await drainRate(10_000);
  row('drain of a mailbox of 10,000', perSecond, undefined, 'messages/s');
  row('the same', cpuMicros, undefined, 'CPU µs a message');
}
if (wanted('fair')) {
  const floods = await fairness(optionOf('flood') ?? '');
  tellFair(floods);
  for (const { flood, waits } of floods)
    for (const [asked, { p99 }] of Object.entries(waits))
      row(`beside ${FLOODING_SOCKETS} of ${flood}: ${asked}, p99`, p99, undefined, 'ms', { most: GOALS.fair99 });
}

if (wanted('shapes')) {
  const terms = { store: optionOf('store'), bus: optionOf('bus'), rates: rates ?? SHAPE_RATES };
  tellShapes(await shapeFigures(terms, process.argv));
}

if (rows.length > 0) tellTable([['what', 'ours', 'peer', 'ratio', 'unit', 'goal', ''], ...rows]);
if (missed.length > 0) console.log(`missed: ${missed.join(', ')}`);
process.exit(check && missed.length > 0 ? 1 : 0);

function tellTable(table: readonly string[][]): void {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  for (const cells of table) console.log(cells.map((cell, column) => cell.padEnd(widths[column]!)).join('  '));
}

function tellOpen(costs: readonly OpenCost[]): void {
  const line = (rate: number, name: string, counted: number, { watched, ...figures }: OpenFigures) => [
    `${rate}/s ${name}`,
    figures.micros.toFixed(0),
    ...[figures.p50, figures.p99, figures.p999, figures.max, figures.accepted99].map((ms) => ms.toFixed(2)),
    watched.stallMs.toFixed(1),
    ...[watched.young, watched.full].map(
      ({ count, totalMs, maxMs }) => `${count}: ${totalMs.toFixed(1)}, ${maxMs.toFixed(1)}`,
    ),
    String(counted),
  ];
  tellTable([
    [
      'ms from the intended time',
      'CPU µs',
      'p50',
      'p99',
      'p99.9',
      'max',
      'accepted p99',
      'stall',
      'young',
      'full',
      'rounds',
    ],
    ...costs.flatMap(({ perSecond, ours, logged, counted }) => [
      line(perSecond, 'ours', counted, ours),
      line(perSecond, 'ws with a log', counted, logged),
    ]),
  ]);
}

function tellShapes(figures: readonly ShapeFigures[]): void {
  const parts = [...new Set(figures.flatMap(({ micros }) => [...micros.keys()]))];
  tellTable([
    [
      'shape',
      ...parts.map((part) => `${part} µs`),
      'relay, to embedded',
      'all, to embedded',
      'p50 ms',
      'p99',
      'accepted p99',
      'p50, to embedded',
      'driver late p99',
      'appends a message',
      'acknowledges',
      'reads',
      'publishes',
    ],
    ...figures.map(({ perSecond, name, micros, ratio, p50, p99, accepted99, lag99, calls }) => [
      `${perSecond}/s ${name}`,
      ...parts.map((part) => micros.get(part)?.toFixed(0) ?? '–'),
      ratio.relay.toFixed(2),
      ratio.all.toFixed(2),
      ...[p50, p99, accepted99, ratio.p50, lag99].map((figure) => figure.toFixed(2)),
      ...[calls.append, calls.acknowledge, calls.read, calls.publish].map((figure) => figure.toFixed(3)),
    ]),
  ]);
}

function tellFair(floods: readonly Fairness[]): void {
  tellTable([
    [
      `ms beside ${FLOODING_SOCKETS} sockets of`,
      'ping p50',
      'p99',
      'message p50',
      'p99',
      '/livez p50',
      'p99',
      'MB/s',
      'sockets',
    ],
    ...floods.map(({ flood, waits, megabytes, sockets }) => [
      flood,
      ...Object.values(waits).flatMap(({ p50, p99 }) => [p50.toFixed(1), p99.toFixed(1)]),
      megabytes.toFixed(1),
      String(sockets),
    ]),
  ]);
}

function tellGroups(figures: readonly GroupFigures[]): void {
  tellTable([
    ['devices', 'CPU µs a delivery', 'ws broadcast', 'ratio', 'appends a message', 'acknowledges', 'bytes sent'],
    ...figures.map(({ devices, ours, bare, ratio, appends, acknowledges, frameBytes }) => [
      String(devices),
      ours.toFixed(1),
      bare.toFixed(1),
      ratio.toFixed(2),
      appends.toFixed(2),
      acknowledges.toFixed(2),
      String(frameBytes),
    ]),
  ]);
}
