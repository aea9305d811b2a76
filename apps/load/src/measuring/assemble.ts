/** Makes the report of a run out of all that was measured. */

import type { Phase } from '../plan.ts';
import type { Played } from '../running/conductor.ts';
import type { Collector } from './collector.ts';
import { growthOf, type MemorySample } from './memory-trend.ts';
import { FORMAT, type Report } from './report.ts';
import type { Threshold } from './thresholds.ts';

const MOST_LOOP_DELAY_MS = 20;
const MOST_LATE_MS = 10;
/** Of a core; beyond it the next message waits for this one. */
const MOST_CORES = 0.9;
/** Of a core; below it a worker is not late by its own work. */
const LITTLE_CORES = 0.5;

export interface AssembleTerms {
  readonly server: string;
  readonly serverVersion: string;
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly argv: readonly string[];
  readonly phases: readonly Phase[];
  readonly workers: number;
  /** More workers would have cores of their own. */
  readonly coresFree: boolean;
  readonly options: { readonly seed: number; readonly connectRate: number; readonly from: readonly string[] };
  readonly agents: Report['agents'];
  readonly collector: Collector;
  readonly memory: MemorySample[];
  /** Is added to by `warn`. */
  readonly warnings: string[];
  readonly warn: (text: string) => void;
  readonly failIf: readonly Threshold[];
  /** What a threshold without a measure is of. */
  readonly main: string;
  readonly isInterrupted: boolean;
}

/** Warns of what makes its figures doubtful. */
export function assemble(played: Played, terms: AssembleTerms): Report {
  const { server, serverVersion, version, startedAt, argv, phases, workers, coresFree, options } = terms;
  const { agents, collector, memory, warnings, warn, failIf, main, isInterrupted } = terms;
  const { verdict, strain } = played;
  const late99Ms = collector.summary('late')?.p99 ?? 0;
  const isBottleneck =
    strain.loopDelay99Ms > MOST_LOOP_DELAY_MS || late99Ms > MOST_LATE_MS || strain.cores > MOST_CORES;
  if (isBottleneck)
    warn(
      `the generator is the bottleneck: late by ${late99Ms.toFixed(1)} ms, event loop busy for ${strain.loopDelay99Ms.toFixed(1)} ms (99th percentiles), ${strain.cores.toFixed(2)} cores of a worker; ${generatorAdvice(strain.cores, coresFree)}`,
    );
  adviseOn(collector.counts, warn);
  const seconds = played.phases.reduce((sum, { from, to }) => sum + to - from, 0);
  const counts = { ...collector.counts, ...verdict.offences };
  const times = collector.figures();
  const measured = { times, counts, seconds, memoryGrowth: growthOf(memory), main };
  const thresholds = failIf.map((threshold) => {
    const value = threshold.valueIn(measured);
    return { text: threshold.text, value: value ?? null, isMissed: threshold.isMissedBy(value) };
  });
  return {
    format: FORMAT,
    version,
    startedAt,
    server: { origin: server, version: serverVersion },
    command: `sealwire-load ${argv.join(' ')}`,
    settings: { phases, workers, seed: options.seed, connectRate: options.connectRate, sources: options.from.length },
    seconds,
    phases: [...played.phases],
    counts,
    times: Object.fromEntries(
      Object.entries(times).map(([name, figures]) => [
        name,
        { ...figures, curve: figures.curve.map(([a, b]) => [a, b] as [number, number]) },
      ]),
    ),
    rows: collector
      .rows()
      .map((row) => ({ ...row, counts: { ...row.counts }, times: { ...row.times }, levels: { ...row.levels } })),
    oracle: { offences: { ...verdict.offences }, examples: [...verdict.examples] },
    generator: { workers, ...strain, late99Ms, isBottleneck },
    agents,
    memory,
    warnings,
    thresholds,
    ending: Object.values(verdict.offences).some((count) => count > 0)
      ? 'promise'
      : thresholds.some(({ isMissed }) => isMissed)
        ? 'threshold'
        : isInterrupted
          ? 'interrupted'
          : 'ok',
  };
}

function generatorAdvice(cores: number, coresFree: boolean): string {
  if (cores < LITTLE_CORES) return 'others keep this machine busy: take one of its own';
  return coresFree ? 'more --workers' : 'fewer connections or messages, or a machine of its own';
}

/** What a server's limits do to a load is said with the setting that has them. */
function adviseOn(counts: Readonly<Record<string, number>>, warn: (text: string) => void): void {
  const limited = counts['refused too-many-requests'];
  if (limited)
    warn(
      `the server's limits refused ${limited} messages (a message a second from one account to another after 60): start it with MESSAGES_PER_PAIR=0 and MESSAGES_PER_RECIPIENT=0 for the time of the test, or take more --pairs`,
    );
  if (counts.withoutOneTimeKey)
    warn(
      `${counts.withoutOneTimeKey} bundles came without one-time key: BUNDLES_PER_PAIR=0 and BUNDLES_PER_TARGET=0 for the time of the test, or more --devices`,
    );
}
