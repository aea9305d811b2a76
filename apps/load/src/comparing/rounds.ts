/** The same load on all servers in turns, so that what else the machine does meets each of them alike. */
import type { Histogram } from 'hdr-histogram-js';
import type { Verdict } from '../oracle/oracle.ts';
import type { ShapeReport } from './report.ts';
import type { Figure, Shape } from './shapes.ts';
import { type Spread, spreadOf } from './spread.ts';
import type { Measured, Stage } from './stage.ts';

const US_IN_MS = 1_000;

export interface Contestant {
  readonly name: string;
  readonly stage: Stage;
}

export interface RoundTerms {
  readonly shape: Shape;
  /** Whom ratios are to; one of the contestants. */
  readonly reference: string;
  /** Before those that count: one that warms up. */
  readonly rounds: number;
  readonly roundMs: number;
  readonly signal: AbortSignal;
  /** Is called before each round. */
  readonly told: (round: number) => void;
}

/** Rejects as a stage does; all stages are closed then, too. */
export async function playRounds(contestants: readonly Contestant[], terms: RoundTerms): Promise<ShapeReport> {
  const { rounds, roundMs, signal, told } = terms;
  const measured = new Map<string, Measured[]>(contestants.map(({ name }) => [name, []]));
  const verdicts = new Map<string, Verdict>();
  try {
    for (const { stage } of contestants) await stage.open();
    for (let round = 0; round <= rounds && !signal.aborted; round++) {
      told(round);
      // Back and forth: nobody is always the one after somebody else.
      for (const { name, stage } of round % 2 === 0 ? contestants : [...contestants].reverse()) {
        const values = await stage.round(roundMs, round + 1);
        if (round === 0) stage.forgetTimes();
        // A round that was broken off is none.
        else if (!signal.aborted) measured.get(name)!.push(values);
      }
    }
  } finally {
    for (const { name, stage } of contestants) verdicts.set(name, await stage.close());
  }
  return shapeReport(contestants, measured, verdicts, terms);
}

function shapeReport(
  contestants: readonly Contestant[],
  measured: ReadonlyMap<string, readonly Measured[]>,
  verdicts: ReadonlyMap<string, Verdict>,
  { shape, reference }: RoundTerms,
): ShapeReport {
  const { name, about, per, figures } = shape;
  const base = measured.get(reference)!;
  return {
    name,
    about,
    per,
    figures: [...figures],
    rows: contestants.map(({ name: server, stage }) => {
      const own = measured.get(server)!;
      const { offences, examples } = verdicts.get(server)!;
      return {
        server,
        values: spreadsOf(figures, (figure) => own.map((values) => values[figure])),
        // A pair of rounds at a time: what disturbed both is not in their ratio.
        ratios: spreadsOf(figures, (figure) =>
          own.map((values, round) => ratio(values[figure], base[round]?.[figure])),
        ),
        ...(shape.kind === 'talk' && { times: timesOf(stage.times) }),
        offences: { ...offences },
        examples: [...examples],
      };
    }),
  };
}

function spreadsOf(
  figures: readonly Figure[],
  valuesOf: (figure: Figure) => readonly (number | undefined)[],
): Record<string, Spread> {
  return Object.fromEntries(
    figures.flatMap((figure) => {
      const spread = spreadOf(valuesOf(figure).filter((value) => value !== undefined));
      return spread ? [[figure, spread]] : [];
    }),
  );
}

function ratio(value: number | undefined, base: number | undefined): number | undefined {
  // Memory may have become less in a round: that is no ratio.
  return value === undefined || base === undefined || base <= 0 || value < 0 ? undefined : value / base;
}

function timesOf(times: Histogram): NonNullable<ShapeReport['rows'][number]['times']> {
  const at = (percent: number) => times.getValueAtPercentile(percent) / US_IN_MS;
  return { count: times.totalCount, p50: at(50), p99: at(99), p999: at(99.9), max: times.maxValue / US_IN_MS };
}
