/** What is left of a run: one JSON object, from which tables, HTML and comparisons are made (docs/operations/load.md). */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { LoadError } from '../errors.ts';
import { OFFENCES } from '../oracle/oracle.ts';

export const FORMAT = 'sealwire-load/1';

const number = z.number();
const counts = z.record(z.string(), number);
const summary = { count: number, mean: number, p50: number, p90: number, p99: number, p999: number, max: number };

/** Times are ms, but `at`, `seconds`, `from` and `to`: seconds from the beginning. */
export const Report = z.object({
  format: z.literal(FORMAT),
  version: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
  server: z.object({ origin: z.string(), version: z.string() }),
  /** As typed, without what is secret. */
  command: z.string(),
  settings: z.record(z.string(), z.unknown()),
  seconds: number,
  phases: z.array(z.object({ name: z.string(), from: number, to: number })),
  counts,
  times: z.record(
    z.string(),
    z.object({ ...summary, curve: z.array(z.tuple([number, number])), histogram: z.string() }),
  ),
  rows: z.array(z.object({ at: number, counts, times: z.record(z.string(), z.object(summary)), levels: counts })),
  oracle: z.object({
    offences: z.record(z.enum(OFFENCES), number),
    examples: z.array(z.string()),
  }),
  generator: z.object({
    workers: number,
    loopDelay99Ms: number,
    late99Ms: number,
    cores: number,
    isBottleneck: z.boolean(),
  }),
  /** Where workers were on several machines: how far their clocks are known, ms. */
  agents: z
    .array(z.object({ address: z.string(), workers: number, offsetMs: number, errorMs: number, driftMs: number }))
    .default([]),
  /** Of the server, where `--metrics` was given: resident memory. */
  memory: z.array(z.object({ at: number, bytes: number })),
  warnings: z.array(z.string()),
  thresholds: z.array(z.object({ text: z.string(), value: number.nullable(), isMissed: z.boolean() })),
  ending: z.enum(['ok', 'promise', 'threshold', 'interrupted']),
});

export type Report = z.output<typeof Report>;

/** Throws `LoadError`. */
export function readReport(path: string): Report {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new LoadError('usage', `${path} cannot be read (${code}): name a file that --json or --out wrote`, { cause });
  }
  try {
    return Report.parse(JSON.parse(text));
  } catch (cause) {
    throw new LoadError('usage', `${path} is no report of this version: name a file that --json or --out wrote`, {
      cause,
    });
  }
}

export const OFFENCE_WORDS: Readonly<Record<(typeof OFFENCES)[number], string>> = {
  lost: 'lost',
  doubled: 'doubled',
  reordered: 'reordered',
  foreign: 'to the wrong one',
  notAccepted: 'never accepted',
  keyTwice: 'one-time key twice',
  damaged: 'damaged',
};
