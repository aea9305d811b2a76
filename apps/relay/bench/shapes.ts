/**
 * The shapes of a deployment at fixed rates, side by side in one run: one relay on the embedded store, one and two on MongoDB and Redis,
 * the same behind nginx, and the least that is as durable (`ws` with a log). CPU microseconds a message, of each part apart; latency from
 * the intended time; what the messages cost in calls of the store and of the bus.
 */
import { processorTime, watchedOf } from '../../../packages/store/bench/processor-time.ts';
import type { Counted } from './calls.ts';
import { MeasuredServer } from './measured-server.ts';
import { median } from './measurements.ts';
import { startNginx } from './nginx.ts';
import { quantile } from './open.ts';
import { type OpenLoad, openLoad } from './open-model.ts';
import type { PortsOf } from './sockets.ts';

const PAIRS = 50;
/** The last is twice the one before: two relays then have as much each as one has. */
export const SHAPE_RATES = [50, 200, 400];
const ROUNDS = 3;
const ROUND_SECONDS = 3;
const WARM_UP_SECONDS = 2;
const CALLS = ['append', 'acknowledge', 'read', 'publish'] as const;

export interface ShapeTerms {
  /** URLs, as `STORE_URL` and `BUS_URL`; undefined: without the shapes that need them. */
  readonly store: string | undefined;
  readonly bus: string | undefined;
  /** Messages a second. */
  readonly rates: readonly number[];
}

interface Shape {
  readonly name: string;
  /** Of which the processor time counts. */
  readonly relays: readonly MeasuredServer[];
  readonly load: OpenLoad;
  /** Processor time of other processes that work for it, by the name of their column. */
  readonly others: ReadonlyMap<string, () => number>;
}

interface Round {
  /** CPU microseconds a message, by part: `relay` and the names of `others`. */
  readonly micros: ReadonlyMap<string, number>;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly accepted99: number;
  readonly lag99: number;
  /** Calls a message. */
  readonly calls: Counted;
}

export interface ShapeFigures extends Round {
  readonly perSecond: number;
  readonly name: string;
  /** To the embedded store, medians of the ratios of one round: of the relays, and of all processes. */
  readonly ratio: { readonly relay: number; readonly all: number; readonly p50: number };
}

/** Medians of the rounds. */
export async function shapeFigures(
  { store, bus, rates }: ShapeTerms,
  args: readonly string[],
): Promise<ShapeFigures[]> {
  const ends: (() => Promise<void>)[] = [];
  const logged = await MeasuredServer.start('logged');
  const embedded = await MeasuredServer.start('ours');
  // Another run's devices may be in the same database.
  const run = Date.now().toString(36);
  const shapes: Shape[] = [
    { name: 'ws with a log', relays: [logged], load: await load(logged, run), others: new Map() },
    { name: 'embedded', relays: [embedded], load: await load(embedded, `${run}e`), others: new Map() },
  ];
  const named: Record<string, MeasuredServer> = { 'ws with a log': logged, embedded };
  ends.push(...[logged, embedded].map((server) => () => server.end()));
  if (store !== undefined && bus !== undefined) {
    const one = await MeasuredServer.start('ours', { name: 'one', store, bus });
    const two = await MeasuredServer.start('ours', { name: 'two', store, bus });
    Object.assign(named, { 'one of two on MongoDB': one });
    const engines = new Map([...watchedOf(args)].map(([name, pid]) => [name, () => processorTime(pid)] as const));
    const shape = async (name: string, relays: readonly MeasuredServer[], ports: PortsOf, others = engines) => {
      shapes.push({ name, relays, load: await load(one, `${run}s${shapes.length}`, ports), others });
    };
    const both = [one, two];
    await shape('one relay', [one], () => [one.port, one.port]);
    await shape('two, each its own pairs', both, (pair) => [both[pair % 2]!.port, both[pair % 2]!.port]);
    await shape('two, from one to the other', both, (pair) => [both[pair % 2]!.port, both[(pair + 1) % 2]!.port]);
    for (const [name, relays] of [
      ['nginx, one relay', [one]],
      ['nginx, two relays', both],
    ] as const) {
      const front = await startNginx(relays.map(({ port }) => port));
      await shape(name, relays, () => [front.port, front.port], new Map([['nginx', front.cpuMicros], ...engines]));
      ends.push(() => front.end());
    }
    ends.push(...both.map((server) => () => server.end()));
  }
  for (const { load } of shapes) await load.play(Math.max(...rates), WARM_UP_SECONDS, 'warm-up');
  const figures: ShapeFigures[] = [];
  for (const perSecond of rates) figures.push(...(await atRate(shapes, perSecond)));
  for (const [name, server] of Object.entries(named)) await tellMemory(name, server);
  for (const { load } of shapes) await load.end();
  for (const end of ends) await end();
  return figures;
}

/** After collections; of one process. */
async function tellMemory(name: string, server: MeasuredServer): Promise<void> {
  const { rssBytes = Number.NaN } = await server.ask({ ask: 'memory' });
  console.log(`memory, ${name}: ${(rssBytes / 2 ** 20).toFixed(0)} MiB`);
}

async function load(server: MeasuredServer, prefix: string, ports: PortsOf | number = server.port): Promise<OpenLoad> {
  const { devices = [] } = await server.ask({ ask: 'devices', prefix, count: 2 * PAIRS });
  return openLoad(ports, server.kind, PAIRS, devices, true);
}

async function atRate(shapes: readonly Shape[], perSecond: number): Promise<ShapeFigures[]> {
  const rounds: Round[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const played: Round[] = [];
    for (const shape of shapes) played.push(await oneRound(shape, perSecond, `${perSecond} ${round}`));
    rounds.push(played);
  }
  return shapes.map(({ name }, i) => {
    const own = rounds.map((played) => played[i]!);
    const middle = (of: (round: Round) => number) => median(own.map(of));
    const beside = (of: (round: Round) => number) => median(rounds.map((played) => of(played[i]!) / of(played[1]!)));
    return {
      perSecond,
      name,
      micros: new Map([...own[0]!.micros.keys()].map((part) => [part, middle(({ micros }) => micros.get(part)!)])),
      p50: middle(({ p50 }) => p50),
      p99: middle(({ p99 }) => p99),
      accepted99: middle(({ accepted99 }) => accepted99),
      lag99: middle(({ lag99 }) => lag99),
      calls: eachCall((call) => middle(({ calls }) => calls[call])),
      ratio: {
        relay: beside(({ micros }) => micros.get('relay')!),
        all: beside(({ micros }) => [...micros.values()].reduce((sum, each) => sum + each, 0)),
        p50: beside(({ p50 }) => p50),
      },
    };
  });
}

async function oneRound(shape: Shape, perSecond: number, seed: string): Promise<Round> {
  const before = await spent(shape);
  const { delivered, accepted, lag } = await shape.load.play(perSecond, ROUND_SECONDS, seed);
  const after = await spent(shape);
  const each = (to: number, from: number) => (to - from) / delivered.length;
  return {
    micros: new Map([...after.micros].map(([part, micros]) => [part, each(micros, before.micros.get(part)!)])),
    p50: quantile(delivered, 0.5),
    p99: quantile(delivered, 0.99),
    accepted99: quantile(accepted, 0.99),
    lag99: quantile(lag, 0.99),
    calls: eachCall((call) => each(after.calls[call], before.calls[call])),
  };
}

/** So far. */
async function spent({ relays, others }: Shape): Promise<Pick<Round, 'micros' | 'calls'>> {
  let relay = 0;
  let calls = eachCall(() => 0);
  for (const server of relays) {
    relay += await server.cpuMicros();
    const { calls: asked } = await server.ask({ ask: 'calls' });
    const before = calls;
    calls = eachCall((call) => before[call] + (asked?.[call] ?? 0));
  }
  return { micros: new Map([['relay', relay], ...[...others].map(([name, of]) => [name, of()] as const)]), calls };
}

function eachCall(of: (call: keyof Counted) => number): Counted {
  return Object.fromEntries(CALLS.map((call) => [call, of(call)])) as unknown as Counted;
}
