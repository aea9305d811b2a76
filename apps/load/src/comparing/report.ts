/** What is left of a comparison: one JSON object (docs/operations/load.md). */
import * as z from 'zod';
import { OFFENCES } from '../oracle/oracle.ts';

export const COMPARISON_FORMAT = 'sealwire-load-comparison/1';

const number = z.number();
const spread = z.object({ median: number, low: number, high: number, confidence: number, rounds: number });
const spreads = z.record(z.string(), spread);

export const ComparisonReport = z.object({
  format: z.literal(COMPARISON_FORMAT),
  version: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
  /** As typed. */
  command: z.string(),
  /** `load`: the average of a minute, before and after. */
  machine: z.object({ processor: z.string(), cores: number, node: z.string(), loadBefore: number, loadAfter: number }),
  rounds: number,
  roundMs: number,
  size: number,
  /** Whom ratios are to. */
  reference: z.string(),
  servers: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      accepted: z.string(),
      isDurable: z.boolean(),
      isKept: z.boolean(),
      isAuthenticated: z.boolean(),
    }),
  ),
  /** Those that were asked for and are not here. */
  absent: z.array(z.object({ name: z.string(), why: z.string() })),
  shapes: z.array(
    z.object({
      name: z.string(),
      about: z.string(),
      per: z.string(),
      figures: z.array(z.string()),
      rows: z.array(
        z.object({
          server: z.string(),
          /** Of each figure its values, and their ratio to the reference in the same round. */
          values: spreads,
          ratios: spreads,
          /** ms, of all rounds together. */
          times: z.object({ count: number, p50: number, p99: number, p999: number, max: number }).optional(),
          offences: z.record(z.enum(OFFENCES), number),
          examples: z.array(z.string()),
        }),
      ),
    }),
  ),
  warnings: z.array(z.string()),
  ending: z.enum(['ok', 'promise', 'interrupted']),
});

export type ComparisonReport = z.output<typeof ComparisonReport>;
export type ShapeReport = ComparisonReport['shapes'][number];
