/**
 * Latency and cost at fixed rates, beside `ws` with a log that is as durable: both live side by side,
 * rounds alternate.
 */
import type { Watched } from './loop-watch.ts';
import { MeasuredServer } from './measured-server.ts';
import { median } from './measurements.ts';
import { type Latencies, type OpenLoad, openLoad } from './open-model.ts';

const PAIRS = 100;
const ROUND_SECONDS = 4;
const WARM_UP = { perSecond: 5_000, seconds: 3 };
/** A round in which the driver was later than this is not counted. */
const MOST_LAG_MS = 1;
const KINDS = ['ours', 'logged'] as const;
type Kind = (typeof KINDS)[number];

interface Round extends Latencies {
  /** CPU microseconds of the server process (user and system) a message, its acknowledgements included. */
  readonly micros: number;
}

export interface OpenFigures {
  readonly micros: number;
  /** Milliseconds: medians of the rounds … */
  readonly p50: number;
  readonly p99: number;
  readonly accepted99: number;
  /** … and of all rounds together. */
  readonly p999: number;
  readonly max: number;
  /** Of a round that is not counted in the others. */
  readonly watched: Watched;
}

export interface OpenCost {
  readonly perSecond: number;
  readonly ours: OpenFigures;
  readonly logged: OpenFigures;
  /** Medians of the ratios of neighbouring rounds. */
  readonly ratio: { readonly micros: number; readonly p50: number; readonly p99: number };
  /** Rounds in which the driver was on time. */
  readonly counted: number;
}

export async function openCosts(rates: readonly number[], rounds: number): Promise<OpenCost[]> {
  const servers = { ours: await MeasuredServer.start('ours'), logged: await MeasuredServer.start('logged') };
  const { devices = [] } = await servers.ours.ask({ ask: 'devices', prefix: 'open', count: 2 * PAIRS });
  const loads = {
    ours: await openLoad(servers.ours.port, 'ours', PAIRS, devices),
    logged: await openLoad(servers.logged.port, 'logged', PAIRS, []),
  };
  for (const kind of KINDS) await loads[kind].play(WARM_UP.perSecond, WARM_UP.seconds, 'warm-up');
  const costs: OpenCost[] = [];
  for (const perSecond of rates) costs.push(await atRate(servers, loads, perSecond, rounds));
  for (const kind of KINDS) {
    await loads[kind].end();
    await servers[kind].end();
  }
  return costs;
}

async function atRate(
  servers: Record<Kind, MeasuredServer>,
  loads: Record<Kind, OpenLoad>,
  perSecond: number,
  rounds: number,
): Promise<OpenCost> {
  const counted: Record<Kind, Round>[] = [];
  for (let round = 0; round < rounds; round++) {
    const play = (kind: Kind) => oneRound(servers[kind], loads[kind], perSecond, `${perSecond} ${round}`);
    const both = { ours: await play('ours'), logged: await play('logged') };
    const lag = Math.max(...KINDS.map((kind) => quantile(both[kind].lag, 0.99)));
    if (lag <= MOST_LAG_MS) counted.push(both);
    else console.log(`${perSecond}/s: the driver was late by ${lag.toFixed(1)} ms (p99): the round is not counted`);
  }
  const watched = {} as Record<Kind, Watched>;
  for (const kind of KINDS) watched[kind] = await watchedRound(servers[kind], loads[kind], perSecond);
  const ratio = (of: (round: Round) => number) => median(counted.map(({ ours, logged }) => of(ours) / of(logged)));
  return {
    perSecond,
    ours: figuresOf(
      counted.map(({ ours }) => ours),
      watched.ours,
    ),
    logged: figuresOf(
      counted.map(({ logged }) => logged),
      watched.logged,
    ),
    ratio: {
      micros: ratio(({ micros }) => micros),
      p50: ratio(({ delivered }) => quantile(delivered, 0.5)),
      p99: ratio(({ delivered }) => quantile(delivered, 0.99)),
    },
    counted: counted.length,
  };
}

async function oneRound(server: MeasuredServer, load: OpenLoad, perSecond: number, seed: string): Promise<Round> {
  const before = await server.cpuMicros();
  const latencies = await load.play(perSecond, ROUND_SECONDS, seed);
  return { ...latencies, micros: ((await server.cpuMicros()) - before) / latencies.delivered.length };
}

async function watchedRound(server: MeasuredServer, load: OpenLoad, perSecond: number): Promise<Watched> {
  await server.ask({ ask: 'watch' });
  await load.play(perSecond, ROUND_SECONDS, 'watched');
  return (await server.ask({ ask: 'watched' })).watched!;
}

function figuresOf(rounds: readonly Round[], watched: Watched): OpenFigures {
  const all = Float64Array.from(rounds.flatMap(({ delivered }) => [...delivered])).sort();
  return {
    micros: median(rounds.map(({ micros }) => micros)),
    p50: median(rounds.map(({ delivered }) => quantile(delivered, 0.5))),
    p99: median(rounds.map(({ delivered }) => quantile(delivered, 0.99))),
    accepted99: median(rounds.map(({ accepted }) => quantile(accepted, 0.99))),
    p999: quantile(all, 0.999),
    max: all.at(-1) ?? Number.NaN,
    watched,
  };
}

/** Of `ascending`, which `share` of are smaller. */
export function quantile(ascending: Float64Array, share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))] ?? Number.NaN;
}
